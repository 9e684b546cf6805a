/** The functions behind the backend's table, besides the operations. */
#ifndef HN_CPU_BACKEND_H
#define HN_CPU_BACKEND_H

#include <hone/backend.h>

hone_status hn_cpu_count(const hone_host *host, int *count);
hone_status hn_cpu_open(const hone_host *host, int index, hone_backend_device **device);
void hn_cpu_close(hone_backend_device *device);
hone_status hn_cpu_properties(hone_backend_device *device, hone_device_properties *properties);

hone_status hn_cpu_buffer_create(hone_backend_device *device, size_t bytes, uint64_t *buffer);
hone_status hn_cpu_buffer_import(hone_backend_device *device, const void *memory, size_t bytes,
                                 uint64_t *buffer);
void hn_cpu_buffer_destroy(hone_backend_device *device, uint64_t buffer);
/** All that are left. */
void hn_cpu_buffers_release(hone_backend_device *device);
hone_status hn_cpu_upload(hone_backend_device *device, uint64_t buffer, uint64_t offset, const void *source,
                          size_t bytes);
hone_status hn_cpu_download(hone_backend_device *device, void *destination, uint64_t buffer, uint64_t offset,
                            size_t bytes);
hone_status hn_cpu_copy(hone_backend_device *device, uint64_t destination, uint64_t destination_offset,
                        uint64_t source, uint64_t source_offset, size_t bytes);

#endif
