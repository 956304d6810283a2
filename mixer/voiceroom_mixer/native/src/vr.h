/* What all kernels share. Called by ctypes from one thread: no globals, no malloc, nothing blocks. */
#ifndef VR_H
#define VR_H

#include <stddef.h>
#include <stdint.h>

#define VR_EXPORT __attribute__((visibility("default")))

/* A hot loop once for the baseline and once for AVX2, chosen when the library is loaded. */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(VR_NO_CLONES)
#define VR_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define VR_CLONES
#endif

#endif
