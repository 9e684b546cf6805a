#include <checkpoint/planes.h>
#include <string.h>

void hn_planes_split(const unsigned char *data, unsigned char *planes, size_t bytes, size_t element) {
    const size_t count = bytes / element;
    for (size_t k = 0; k < element; k++) {
        unsigned char *plane = planes + k * count;
        for (size_t i = 0; i < count; i++)
            plane[i] = data[i * element + k];
    }
    memcpy(planes + count * element, data + count * element, bytes - count * element);
}

void hn_planes_join(const unsigned char *planes, unsigned char *data, size_t bytes, size_t element) {
    const size_t count = bytes / element;
    for (size_t k = 0; k < element; k++) {
        const unsigned char *plane = planes + k * count;
        for (size_t i = 0; i < count; i++)
            data[i * element + k] = plane[i];
    }
    memcpy(data + count * element, planes + count * element, bytes - count * element);
}
