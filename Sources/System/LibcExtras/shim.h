/* What Swift's Glibc module leaves out. */
#ifndef LIBC_EXTRAS_H
#define LIBC_EXTRAS_H
#include <malloc.h>
#include <pthread.h>
int pthread_setname_np(pthread_t thread, const char *name);

/* Few threads, no arena for each, and free memory goes back soon. */
static inline void cdc_tune_memory(void) {
  mallopt(M_ARENA_MAX, 2);
  mallopt(M_TRIM_THRESHOLD, 1 << 20);
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
}
#endif
