// SPDX-License-Identifier: GPL-2.0-or-later
/* The gdb stub over a unix socket, on two vCPUs of nothing but registers; hostile packets. */
#include "monitor/gdbstub.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "accel/accel.h"
#include "chardev/chardev.h"
#include "util/main-loop.h"

typedef struct RegCpu {
    Cpu cpu;
    uint32_t r[4];
    uint64_t pc;
} RegCpu;

static Vm *vm;
static Region ram;
static RegCpu *cpus[2];
static int sock = -1;

static unsigned num_regs(Cpu *cpu)
{
    return 4;
}

static unsigned read_reg(Cpu *cpu, unsigned n, uint8_t *buf)
{
    memcpy(buf, &((RegCpu *)cpu)->r[n], 4);
    return 4;
}

static unsigned write_reg(Cpu *cpu, unsigned n, const uint8_t *buf)
{
    memcpy(&((RegCpu *)cpu)->r[n], buf, 4);
    return 4;
}

static const char *xml(Cpu *cpu, const char *annex)
{
    return strcmp(annex, "target.xml") == 0 ? "<target>#}</target>" : NULL;
}

static bool translate(Cpu *cpu, uint64_t va, hwaddr *pa, MemAttrs *attrs)
{
    *pa = va;
    return va < 64 * KIB;
}

static bool has_work(Cpu *cpu)
{
    return false;
}

static void set_pc(Cpu *cpu, uint64_t pc)
{
    ((RegCpu *)cpu)->pc = pc;
}

static const CpuArch arch = {
    .name = "regs",
    .gdb_num_regs = num_regs,
    .gdb_read = read_reg,
    .gdb_write = write_reg,
    .gdb_xml = xml,
    .debug_translate = translate,
    .has_work = has_work,
    .set_pc = set_pc,
};

/* ---- the debugger's side ---- */

static void pump(void)
{
    for (unsigned i = 0; i < 8; i++) {
        main_loop_iterate(false);
    }
}

static void send_raw(const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(sock, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        }
        pump();
    }
}

/* All that comes until a packet is complete, or nothing for long. */
static char *answer(void)
{
    GString *got = g_string_new(NULL);

    for (unsigned tries = 0; tries < 2000; tries++) {
        char buf[8192];
        ssize_t n = recv(sock, buf, sizeof(buf), MSG_DONTWAIT);
        if (n > 0) {
            g_string_append_len(got, buf, n);
        }
        const char *hash = strchr(got->str, '#');
        if (hash && strlen(hash) >= 3) {
            break;
        }
        pump();
        g_thread_yield();
    }
    return g_string_free(got, FALSE);
}

static char *framed(const char *prefix, const char *packet)
{
    uint8_t sum = 0;

    for (const char *p = packet; *p; p++) {
        sum = (uint8_t)(sum + (uint8_t)*p);
    }
    return g_strdup_printf("%s$%s#%02x", prefix, packet, sum);
}

static void send_packet(const char *packet)
{
    g_autofree char *text = framed("", packet);

    send_raw(text, strlen(text));
}

static void expect(const char *packet, const char *wanted)
{
    g_autofree char *reply = framed("+", wanted);

    send_packet(packet);
    g_autofree char *got = answer();
    g_assert_cmpstr(got, ==, reply);
    send_raw("+", 1);
}

static void test_basics(void)
{
    expect("qSupported:multiprocess+;swbreak+",
           "PacketSize=1000;qXfer:features:read+;vContSupported+;multiprocess+");
    expect("vMustReplyEmpty", "");
    expect("Hgp0.0", "OK");
    expect("?", "T05thread:p01.01;");
    expect("qfThreadInfo", "mp01.01");
    expect("qsThreadInfo", "mp01.02");
    expect("qsThreadInfo", "l");
    expect("qThreadExtraInfo,p1.2", "4350552331205b72756e6e696e675d");
    expect("qAttached:1", "1");
    expect("vCont?", "vCont;c;C;s;S");
    expect("qC", "QCp01.01");
    expect("qqemu.sstepbits", "ENABLE=1,NOIRQ=2,NOTIMER=4");
    expect("qqemu.sstep", "0x7");
    expect("Qqemu.sstep=1", "OK");
    expect("qqemu.sstep", "0x1");
    expect("qqemu.PhyMemMode", "0");
    expect("qXfer:features:read:target.xml:0,100", "l<target>}\003}]</target>");
    expect("qXfer:features:read:target.xml:1,4", "mtarg");
    expect("qXfer:features:read:none.xml:0,4", "E00");
}

static void test_registers_memory(void)
{
    cpus[1]->r[2] = 0x11223344;
    expect("Hg1", "OK");
    expect("p2", "00000000");
    expect("P1=78563412", "OK");
    g_assert_cmphex(cpus[0]->r[1], ==, 0x12345678);
    expect("Hgp1.2", "OK");
    expect("p2", "44332211");
    expect("g", "00000000000000004433221100000000");
    expect("G01000000020000000300000004000000", "OK");
    g_assert_cmphex(cpus[1]->r[3], ==, 4);
    expect("p9", "E14");
    expect("M1000,3:abcdef", "OK");
    expect("m1000,4", "abcdef00");
    expect("mfffe,4", "E14");
    expect("m1000,5000", "E22");
    expect("M1000,2:ab", "E22");
    expect("Tp1.9", "E22");
}

static void test_breakpoints(void)
{
    expect("Z0,1000,1", "OK");
    expect("Z2,2000,4", "OK");
    g_assert_cmpuint(cpus[1]->cpu.breakpoints->len, ==, 1);
    g_assert_cmpuint(cpus[1]->cpu.watchpoints->len, ==, 1);
    expect("z0,1000,1", "OK");
    expect("z0,1000,1", "E22");
    expect("Z7,1000,1", "");
    expect("?", "T05thread:p01.02;");
    g_assert_cmpuint(cpus[0]->cpu.watchpoints->len, ==, 0);
}

/* The machine runs, the debugger interrupts it. */
static void test_run(void)
{
    send_packet("vCont;c:p1.-1");
    pump();
    g_assert_true(runstate_running());
    send_raw("\003", 1);
    g_autofree char *got = answer();
    g_assert_nonnull(strstr(got, "$T02thread:p01.02;#"));
    g_assert_false(runstate_running());

    expect("Hcp1.1", "OK");
    send_packet("vCont;s:p1.2");
    g_assert_true(runstate_running());
    g_assert_true(cpus[1]->cpu.singlestep);
    g_assert_true(cpus[0]->cpu.hold);
    g_assert_false(cpus[1]->cpu.hold);
    gdb_cpu_stopped(&cpus[1]->cpu);
    vm_stop(vm, RUN_STATE_DEBUG);
    g_autofree char *stop = answer();
    g_assert_nonnull(strstr(stop, "$T05thread:p01.02;#"));
    g_assert_false(cpus[1]->cpu.singlestep);
}

static void test_hostile(void)
{
    static const char *const malformed[] = {
        "m", "m1000", "m1000,", "mg,4", "M", "M1000,fff:", "Hx1", "H", "Hgp", "p", "P1", "P1=zz",
        "Z0", "Z0,1", "z9999999999999999999,1,1", "qXfer:features:read:target.xml:zz,1",
        "qThreadExtraInfo", "qThreadExtraInfo,q", "qRcmd,5", "qRcmd,zz", "vCont;x", "vCont;s:p9.9",
        "vCont;c:p1.-1x", "T", "Qqemu.sstep=99",
    };
    g_autofree char *long_packet = g_strnfill(20000, 'A');
    GRand *rnd = g_rand_new_with_seed(7);

    for (unsigned i = 0; i < G_N_ELEMENTS(malformed); i++) {
        expect(malformed[i], "E22");
    }
    /* A wrong sum is refused; an endless packet too; noise changes nothing. */
    send_raw("$?#00", 5);
    pump();
    send_raw("$", 1);
    send_raw(long_packet, 20000);
    for (unsigned i = 0; i < 20000; i++) {
        char c = (char)g_rand_int_range(rnd, 0, 256);
        if (c != '$' && c != 3) {
            send_raw(&c, 1);
        }
    }
    g_rand_free(rnd);
    for (;;) {
        char buf[4096];
        pump();
        if (recv(sock, buf, sizeof(buf), MSG_DONTWAIT) <= 0) {
            break;
        }
    }
    send_raw("#00", 3);
    pump();
    char buf[4096];
    while (recv(sock, buf, sizeof(buf), MSG_DONTWAIT) > 0) {
        pump();
    }
    expect("vMustReplyEmpty", "");
}

static void test_detach(void)
{
    expect("Z0,1000,1", "OK");
    expect("D;1", "OK");
    g_assert_true(runstate_running());
    g_assert_cmpuint(cpus[0]->cpu.breakpoints->len, ==, 0);
    vm_stop(vm, RUN_STATE_PAUSED);
}

static void machine_up(const char *path)
{
    static char *const list[] = {(char *)"qtest", NULL};
    g_autofree char *spec = g_strdup_printf("unix:%s,server=on,wait=off", path);
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    GError *error = NULL;

    main_loop_init();
    vm = vm_new();
    address_spaces_init(vm);
    g_assert_true(accel_start(vm, list, &error));
    g_assert_true(region_init_ram(&ram, NULL, "ram", MIB, &error));
    region_add(vm->memory, 0, &ram, 0);
    g_assert_false(gdb_start(vm, spec, &error));    /* no CPU yet */
    g_clear_error(&error);
    for (unsigned i = 0; i < 2; i++) {
        cpus[i] = g_aligned_alloc0(1, sizeof(RegCpu), 64);
        cpus[i]->cpu.arch = &arch;
        cpus[i]->cpu.dev.vm = vm;
        cpus[i]->cpu.index = i;
        cpus[i]->cpu.as = vm->memory_as;
        g_ptr_array_add(vm->cpus, cpus[i]);
        g_assert_true(cpu_start_thread(&cpus[i]->cpu, &error));
    }
    g_assert_true(gdb_start(vm, spec, &error));
    sock = socket(AF_UNIX, SOCK_STREAM, 0);
    g_strlcpy(sa.sun_path, path, sizeof(sa.sun_path));
    g_assert_cmpint(connect(sock, (struct sockaddr *)&sa, sizeof(sa)), ==, 0);
    pump();
}

int main(int argc, char **argv)
{
    g_autofree char *dir = g_dir_make_tmp("gdb-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "s", NULL);

    g_test_init(&argc, &argv, NULL);
    machine_up(path);
    g_test_add_func("/gdb/basics", test_basics);
    g_test_add_func("/gdb/registers-memory", test_registers_memory);
    g_test_add_func("/gdb/breakpoints", test_breakpoints);
    g_test_add_func("/gdb/run", test_run);
    g_test_add_func("/gdb/hostile", test_hostile);
    g_test_add_func("/gdb/detach", test_detach);
    int r = g_test_run();
    gdb_stop();
    close(sock);
    chardev_cleanup();
    g_unlink(path);
    g_rmdir(dir);
    return r;
}
