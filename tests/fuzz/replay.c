/* Runs a fuzz target on each file named, without libFuzzer, and says how many they were. */
#include "fuzz.h"

/* In a block of just its size, so that a byte read too many is seen. */
static uint8_t *read_file(const char *name, size_t *ret_size)
{
    FILE *file = fopen(name, "rb");
    MUST(file);
    MUST(fseek(file, 0, SEEK_END) == 0);
    long size = ftell(file);
    MUST(size >= 0);
    rewind(file);
    uint8_t *data = malloc((size_t)size);
    MUST(fread(data, 1, (size_t)size, file) == (size_t)size);
    fclose(file);
    *ret_size = (size_t)size;
    return data;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        size_t size;
        uint8_t *data = read_file(argv[i], &size);
        /* What was read last is what it died of. */
        fprintf(stderr, "%s\n", argv[i]);
        LLVMFuzzerTestOneInput(data, size);
        free(data);
    }
    printf("%d files\n", argc - 1);
    return 0;
}
