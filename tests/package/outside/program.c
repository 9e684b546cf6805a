#include <hone/hone.h>
#include <stdio.h>

int main(void) {
    hone_device *device = NULL;
    if (hone_device_open(NULL, NULL, &device) != HONE_OK)
        return printf("%s\n", hone_message()), 1;
    printf("hone %s on %s\n", hone_version(), hone_device_name(device));
    hone_device_close(device);
    return 0;
}
