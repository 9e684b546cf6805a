/** Opening, describing and closing the device. */
#include "device.h"

#include "backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

static const char *const isa_names[HN_CPU_ISAS] = {"scalar", "avx2", "avx512", "avx512bf16", "amx"};

/* What the processor and the operating system (which must save the registers) both support. */
static hn_cpu_isa best_isa(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
        return HN_CPU_SCALAR;
    }
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_F16C) == 0) {
        return HN_CPU_SCALAR;
    }
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
        if (!__builtin_cpu_supports("avx512bf16")) {
            return HN_CPU_AVX512;
        }
        return hn_cpu_amx_usable() ? HN_CPU_AMX : HN_CPU_AVX512BF16;
    }
    return HN_CPU_AVX2;
#else
    return HN_CPU_SCALAR;
#endif
}

static hone_status choose_isa(const hone_host *host, hn_cpu_isa *isa) {
    const char *name = host->option(host->context, "isa");
    hn_cpu_isa best = best_isa();
    *isa = best;
    if (name == NULL || strcmp(name, "auto") == 0) {
        return HONE_OK;
    }
    for (int i = 0; i < HN_CPU_ISAS; i++) {
        if (strcmp(name, isa_names[i]) != 0) {
            continue;
        }
        if (i > (int)best) {
            return host->fail(host->context, HONE_ERROR_UNSUPPORTED,
                              "option isa=%s: this processor's best is %s; leave the option out", name,
                              isa_names[best]);
        }
        *isa = (hn_cpu_isa)i;
        return HONE_OK;
    }
    return host->fail(host->context, HONE_ERROR_ARGUMENT,
                      "option isa=%s: it is auto, scalar, avx2, avx512, avx512bf16 or amx", name);
}

/* Each level keeps what the one below does better or as well. */
static void choose_kernels(hn_cpu_isa isa, bool bf16, hn_cpu_kernels *kernels) {
    hn_cpu_kernels_scalar(kernels);
#if defined(__x86_64__)
    if (isa >= HN_CPU_AVX2) {
        hn_cpu_kernels_avx2(kernels);
    }
    if (isa >= HN_CPU_AVX512) {
        hn_cpu_kernels_avx512(kernels);
    }
    if (bf16) {
        hn_cpu_kernels_bf16_products(kernels);
    }
#else
    (void)isa;
    (void)bf16;
#endif
}

hone_status hn_cpu_count(const hone_host *host, int *count) {
    (void)host;
    *count = 1;
    return HONE_OK;
}

hone_status hn_cpu_open(const hone_host *host, int index, hone_backend_device **device) {
    *device = NULL;
    if (index != 0) {
        return host->fail(host->context, HONE_ERROR_NOT_FOUND, "cpu:%d: there is cpu:0 alone", index);
    }
    hn_cpu_isa isa;
    hone_status status = choose_isa(host, &isa);
    if (status != HONE_OK) {
        return status;
    }
    hone_backend_device *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return host->fail(host->context, HONE_ERROR_MEMORY, "cpu: no memory for the device's table");
    }
    made->host = host;
    made->isa = isa;
    status = hn_cpu_matmul_open(&made->matmul, host, isa);
    if (status != HONE_OK) {
        free(made);
        return status;
    }
    choose_kernels(isa, made->matmul.bf16, &made->kernels);
    *device = made;
    return HONE_OK;
}

void hn_cpu_close(hone_backend_device *device) {
    if (device == NULL) {
        return;
    }
    hn_cpu_matmul_close(&device->matmul);
    hn_cpu_buffers_release(device);
    free(device);
}

static void processor_name(char *text, size_t size) {
    (void)snprintf(text, size, "processor");
#if defined(__x86_64__)
    unsigned words[12], most = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid(0x80000000u, &most, &b, &c, &d) == 0 || most < 0x80000004u) {
        return;
    }
    for (unsigned i = 0; i < 3; i++) {
        unsigned *at = words + 4 * i;
        (void)__get_cpuid(0x80000002u + i, at, at + 1, at + 2, at + 3);
    }
    (void)snprintf(text, size, "%.*s", (int)sizeof words, (const char *)words);
    for (size_t length = strlen(text); length > 0 && text[length - 1] == ' '; length--) {
        text[length - 1] = '\0';
    }
#endif
}

hone_status hn_cpu_properties(hone_backend_device *device, hone_device_properties *properties) {
    char matmul[144];
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE), units = sysconf(_SC_NPROCESSORS_ONLN);
    hn_cpu_matmul_numerics(&device->matmul, matmul, sizeof matmul);
    memset(properties, 0, sizeof *properties);
    processor_name(properties->name, sizeof properties->name);
    (void)snprintf(properties->numerics, sizeof properties->numerics, "cpu %s; kernels %d%s; %s",
                   isa_names[device->isa], HN_CPU_KERNELS_VERSION,
                   device->matmul.bf16 ? ", attention in bf16" : "", matmul);
    hn_cpu_matmul_choices(&device->matmul, properties->choices, sizeof properties->choices);
    (void)snprintf(properties->detail, sizeof properties->detail, "%s",
                   properties->numerics + strlen("cpu "));
    properties->memory_bytes = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : 0;
    properties->compute_dtypes = 1u << HONE_F32;
    properties->weight_dtypes = 1u << HONE_BF16 | 1u << HONE_Q8;
    properties->units = units > 0 ? (int32_t)units : 1;
    return HONE_OK;
}
