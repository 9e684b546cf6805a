/** A library to link with that is not where the loader looks. */
int hone_absent(void);

int hone_absent(void) { return 1; }
