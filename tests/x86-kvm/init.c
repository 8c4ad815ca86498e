// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The first process of a guest of the emulator under KVM, which itself runs inside of a guest of
 * the emulator (scripts/check-guest): says what of the machine works, and switches it off.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void show(const char *path, const char *const *words)
{
    char line[4096];
    FILE *f = fopen(path, "r");

    while (f && fgets(line, sizeof(line), f)) {
        for (unsigned i = 0; words[i]; i++) {
            if (strstr(line, words[i])) {
                printf("INNER %s has %s\n", path, words[i]);
                if (strcmp(path, "/proc/interrupts") == 0) {
                    printf("INNER %s", line);
                }
            }
        }
    }
    if (f) {
        fclose(f);
    }
}

int main(void)
{
    static const char *const flags[] = {"x2apic", "tsc_deadline_timer", "avx512f", NULL};
    static const char *const lines[] = {"timer", "ttyS0", "LOC:", "RES:", NULL};
    static const char *const clocks[] = {"kvm-clock", "tsc", NULL};
    struct timespec before, after, wait = {.tv_nsec = 20000000};
    long ms;

    mount("dev", "/dev", "devtmpfs", 0, NULL);
    if (!freopen("/dev/console", "w", stdout)) {
        return 1;
    }
    mkdir("/proc", 0755);
    mkdir("/sys", 0755);
    mount("proc", "/proc", "proc", 0, NULL);
    mount("sysfs", "/sys", "sysfs", 0, NULL);
    printf("INNER cpus %ld\n", sysconf(_SC_NPROCESSORS_ONLN));
    clock_gettime(CLOCK_MONOTONIC, &before);
    for (unsigned i = 0; i < 20; i++) {
        nanosleep(&wait, NULL);
    }
    clock_gettime(CLOCK_MONOTONIC, &after);
    ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
    printf("INNER slept %ld ms\n", ms);
    show("/proc/cpuinfo", flags);
    show("/proc/interrupts", lines);
    show("/sys/devices/system/clocksource/clocksource0/current_clocksource", clocks);
    printf("%s\n", ms >= 400 ? "INNER-OK" : "INNER-FAILED");
    fflush(stdout);
    sync();
    reboot(RB_POWER_OFF);
    return 0;
}
