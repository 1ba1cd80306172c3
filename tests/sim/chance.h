/* Seeded chance: one seed gives one run, on every machine. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chance {
    uint64_t state;
};

/* splitmix64: neighbouring seeds give unrelated runs. */
static inline uint64_t chance_next(struct chance *chance)
{
    uint64_t x = chance->state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* 0 to bound - 1. */
static inline uint64_t chance_below(struct chance *chance, uint64_t bound)
{
    return chance_next(chance) % bound;
}

/* low to high, both included. */
static inline uint64_t chance_between(struct chance *chance, uint64_t low, uint64_t high)
{
    return low + chance_below(chance, high - low + 1);
}

/* True once in `n` times. */
static inline bool chance_one_in(struct chance *chance, uint64_t n)
{
    return chance_below(chance, n) == 0;
}
