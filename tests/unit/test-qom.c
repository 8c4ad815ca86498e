// SPDX-License-Identifier: GPL-2.0-or-later
/* The object model: types, properties, devices, buses, pins, reset, state, help. */
#include <json-c/json.h>
#include <string.h>

#include "example-device.h"
#include "util/cutils.h"
#include "util/main-loop.h"

static const char *const mode_names[] = {"slow", "fast", "turbo", NULL};

static const Prop example_props[] = {
    PROP_U32(Example, delay_ns, "delay", 1000, .min = 1, .max = 5000, .help = "until done"),
    PROP_MAC(Example, mac),
    PROP_STRING(Example, label, "label", .def_str = "none"),
    PROP_ENUM(Example, mode, "mode", 1, mode_names),
    PROP_BIT32(Example, features, "turbo-boost", 3, true),
    PROP_BOOL(Example, fail_realize, "fail", false, .flags = PROP_HIDDEN),
    PROP_LINK(Example, friend, "friend", "device"),
    PROP_END,
};

static const Reg example_regs[] = {
    REG(Example, 0x00, id, .reset = 0x010000ed, .help = "magic"),
    REG(Example, 0x08, number, .wmask = 0xffffffff),
    REG_ARRAY(Example, 0x10, table, .wmask = 0xff, .reset = 7),
};

static const RegBank example_banks[] = {
    {.name = "mmio", .size = 0x100, BANK_REGS(example_regs)},
    {0},
};

static void example_input(Device *d, unsigned pin, int level)
{
    ((Example *)d)->writes_seen += level != 0 ? pin + 1 : 100;
}

static const PinRow example_pins[] = {
    PIN_OUT(Example, irq, "irq"),
    PIN_IN("in", 2, example_input),
    PIN_END,
};

static const StateField pos_fields[] = {
    {.name = "head", .kind = STATE_INT, .offset = 0, .size = 1, .count = 1},
    {.name = "tail", .kind = STATE_INT, .offset = 1, .size = 1, .count = 1},
    STATE_END,
};

static const StateField example_state[] = {
    STATE_TIMER_FIELD(Example, timer),
    STATE_ARRAY(Example, fifo),
    STATE_STRUCT(Example, fifo_pos, pos_fields),
    HOST_ONLY(Example, writes_seen, "for the tests"),
    STATE_END,
};

static bool example_realize(Device *d, GError **error)
{
    Example *s = (Example *)d;

    if (s->fail_realize) {
        return fail(error, "example: told to fail");
    }
    return true;
}

static const DeviceType example_type = {
    .name = "example", .alias = "sample", .category = "misc", .desc = "Worked example",
    .size = sizeof(Example), .state_version = 1, .props = example_props, .banks = example_banks,
    .pins = example_pins, .state = example_state, .realize = example_realize,
};
DEVICE_TYPE(example_type);

typedef struct ExampleHub {
    Device dev;
    Bus bus;
    unsigned resets;
} ExampleHub;

static unsigned order;    /* of resets, as the test sees them */

static void leaf_reset(Device *d)
{
    g_assert_cmpuint(order, ==, 0);
    order++;
}

static bool leaf_attach(Bus *bus, Device *d, GError **error)
{
    return true;
}

static const BusType hub_bus = {
    .name = "hub-bus", .size = sizeof(Bus), .attach = leaf_attach, .max_devices = 1,
};
BUS_TYPE(hub_bus);

static const DeviceType leaf_type = {
    .name = "leaf", .bus = "hub-bus", .size = sizeof(Device), .reset = leaf_reset,
    .hotpluggable = true,
};
DEVICE_TYPE(leaf_type);

static bool hub_realize(Device *d, GError **error)
{
    bus_init(&((ExampleHub *)d)->bus, &hub_bus, d, NULL);
    return true;
}

static void hub_reset(Device *d)
{
    ((ExampleHub *)d)->resets++;
    order++;
}

static const DeviceType hub_type = {
    .name = "hub", .size = sizeof(ExampleHub), .realize = hub_realize, .reset = hub_reset,
    .internal = true,
};
DEVICE_TYPE(hub_type);

static Vm *vm;

static void expect_refused(Object *o, const char *prop, const char *text, const char *message)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(object_set_text(o, prop, text, &error));
    g_assert_cmpstr(error->message, ==, message);
}

static void test_props(void)
{
    g_autoptr(GError) error = NULL;
    Device *d = device_new(vm, "example", &error);
    Example *s = (Example *)d;
    Object *o = &d->obj;
    struct json_object *v;

    g_assert_cmpuint(s->delay_ns, ==, 1000);
    g_assert_cmpstr(s->label, ==, "none");
    g_assert_cmpuint(s->features, ==, 8);
    g_assert_true(object_set_text(o, "delay", "0x10", &error));
    g_assert_cmpuint(s->delay_ns, ==, 16);
    g_assert_true(object_set_text(o, "turbo-boost", "off", &error));
    g_assert_cmpuint(s->features, ==, 0);
    g_assert_true(object_set_text(o, "mode", "turbo", &error));
    g_assert_cmpint(s->mode, ==, 2);
    g_assert_true(object_set_text(o, "mac", "52:54:00:12:34:56", &error));
    g_assert_cmpuint(s->mac[5], ==, 0x56);
    expect_refused(o, "mac", "zz", "Property 'example.mac' doesn't take value 'zz'");
    expect_refused(o, "foo", "1", "Property 'example.foo' not found");
    expect_refused(o, "dealy", "1",
                   "Property 'example.dealy' not found (did you mean 'delay'?)");
    expect_refused(o, "delay", "abc", "Parameter 'delay' expects integer");
    expect_refused(o, "delay", "99999999999", "Parameter 'delay' expects uint32_t");
    expect_refused(o, "delay", "-1", "Parameter 'delay' expects uint32_t");
    expect_refused(o, "delay", "6000",
                   "Property example.delay doesn't take value 6000 (minimum: 1, maximum: 5000)");
    expect_refused(o, "turbo-boost", "maybe", "Parameter 'turbo-boost' expects 'on' or 'off'");
    expect_refused(o, "mode", "slwo",
                   "Parameter 'mode' does not accept value 'slwo' (did you mean 'slow'?)");
    expect_refused(o, "friend", "nobody", "Device 'nobody' not found");
    expect_refused(o, "realized", "on", "Property 'example.realized' is not writable");

    v = json_object_new_int(77);
    g_assert_true(object_set_json(o, "delay", v, &error));
    g_assert_cmpuint(s->delay_ns, ==, 77);
    g_assert_false(object_set_json(o, "label", v, &error));
    g_assert_cmpstr(error->message, ==, "Invalid parameter type for 'label', expected: string");
    g_clear_error(&error);
    json_object_put(v);
    v = object_get_json(o, "mac", &error);
    g_assert_cmpstr(json_object_get_string(v), ==, "52:54:00:12:34:56");
    json_object_put(v);
    v = object_get_json(o, "type", &error);
    g_assert_cmpstr(json_object_get_string(v), ==, "example");
    json_object_put(v);
    object_unref(o);
}

static void test_sizes(void)
{
    uint64_t v;
    g_autofree char *a = size_text(2147483648), *b = size_text(512), *c = size_text(1536);

    g_assert_true(parse_size("1.5G", 1, &v));
    g_assert_cmpuint(v, ==, 3ull << 29);
    g_assert_true(parse_size("64k", 1, &v));
    g_assert_cmpuint(v, ==, 65536);
    g_assert_true(parse_size("2", MIB, &v));
    g_assert_cmpuint(v, ==, 2 * MIB);
    g_assert_true(parse_size("0x10", 1, &v));
    g_assert_cmpuint(v, ==, 16);
    g_assert_false(parse_size("x", 1, &v));
    g_assert_false(parse_size("-1", 1, &v));
    g_assert_false(parse_size("1q", 1, &v));
    g_assert_false(parse_size("99999999999999999999", 1, &v));
    g_assert_false(parse_size("17179869184G", 1, &v));
    g_assert_cmpstr(a, ==, "2 GiB");
    g_assert_cmpstr(b, ==, "512 B");
    g_assert_cmpstr(c, ==, "1.5 KiB");
}

static void test_types(void)
{
    g_autoptr(GError) error = NULL;
    const ObjectType *t = type_find("sample", NULL);
    GString *help = g_string_new(NULL);

    g_assert_true(t == (const ObjectType *)&example_type);
    g_assert_true(type_is_a(t, "device"));
    g_assert_false(type_is_a(t, "bus"));
    g_assert_null(device_new(vm, "exampel", &error));
    g_assert_cmpstr(error->message, ==,
                    "'exampel' is not a valid device model name (did you mean 'example'?)");
    g_clear_error(&error);
    device_help_list(help);
    const char *misc = strstr(help->str, "Misc devices:\n");

    g_assert_nonnull(misc);
    g_assert_nonnull(strstr(
        misc, "\nname \"example\", bus System, alias \"sample\", desc \"Worked example\"\n"));
    g_assert_null(strstr(help->str, "\"hub\""));
    g_string_truncate(help, 0);
    g_assert_true(device_help_props("example", help, &error));
    g_assert_cmpstr(help->str, ==,
                    "example options:\n"
                    "  delay=<uint32>         - until done (default: 1000)\n"
                    "  friend=<link<device>>\n"
                    "  label=<str>            -  (default: \"none\")\n"
                    "  mac=<str>              - Ethernet 6-byte MAC Address, example: "
                    "52:54:00:12:34:56\n"
                    "  mode=<enum>            -  (default: \"fast\")\n"
                    "  turbo-boost=<bool>     - on/off (default: true)\n");
    g_string_free(help, TRUE);
}

static void test_realize(void)
{
    g_autoptr(GError) error = NULL;
    Device *d = device_create(vm, "example", NULL, NULL, &error, "delay", "5", NULL);
    g_autofree char *path = NULL;
    Device *other;
    GString *text = g_string_new(NULL);

    g_assert_no_error(error);
    path = object_path(&d->obj);
    g_assert_cmpstr(path, ==, "/machine/unattached/device[0]");
    g_assert_true(object_resolve(path, NULL) == &d->obj);
    g_assert_true(object_resolve("device[0]", NULL) == &d->obj);
    expect_refused(&d->obj, "delay", "7",
                   "Attempt to set property 'delay' on anonymous device (type 'example') after it "
                   "was realized");

    other = device_new(vm, "example", &error);
    other->id = g_strdup("ex0");
    g_assert_true(object_set_text(&other->obj, "friend", path, &error));
    g_assert_true(device_realize(other, NULL, NULL, &error));
    g_assert_cmpuint(d->obj.refs, ==, 2);
    g_assert_true(device_find(vm, "ex0", &error) == other);
    g_assert_null(device_find(vm, "ex1", &error));
    g_assert_cmpstr(error->message, ==, "Device 'ex1' not found (did you mean 'ex0'?)");
    g_assert_cmpint(error->code, ==, ERROR_DEVICE_NOT_FOUND);
    g_clear_error(&error);
    device_print_tree(vm, text);
    g_assert_nonnull(strstr(text->str, "  dev: example, id \"ex0\"\n    gpio-out \"irq\" 1\n"));
    g_assert_nonnull(strstr(text->str, "    delay = 1000 (0x3e8)\n"));
    g_string_truncate(text, 0);
    object_print_tree(object_resolve("/machine", NULL), text);
    g_assert_nonnull(strstr(text->str, "/machine (none-machine)\n  /peripheral (container)\n"
                                       "    /ex0 (example)\n"));
    device_unplug(other);
    g_assert_cmpuint(d->obj.refs, ==, 1);
    device_unplug(d);

    g_assert_null(device_create(vm, "example", NULL, NULL, &error, "fail", "on", NULL));
    g_assert_cmpstr(error->message, ==, "example: told to fail");
    g_assert_cmpuint(vm->system_bus->devices->len, ==, 0);
    g_string_free(text, TRUE);
}

static void test_buses(void)
{
    g_autoptr(GError) error = NULL;
    Device *hub, *leaf;

    g_assert_null(device_create(vm, "leaf", NULL, NULL, &error, NULL));
    g_assert_cmpstr(error->message, ==, "No 'hub-bus' bus found for device 'leaf'");
    g_clear_error(&error);
    hub = device_create(vm, "hub", NULL, "hub0", &error, NULL);
    g_assert_nonnull(bus_find(vm, "hub-bus.0"));
    leaf = device_create(vm, "leaf", bus_find(vm, "hub-bus.0"), NULL, &error, NULL);
    g_assert_nonnull(leaf);
    g_assert_null(device_create(vm, "leaf", bus_find(vm, "hub-bus.0"), NULL, &error, NULL));
    g_assert_cmpstr(error->message, ==, "Bus 'hub-bus.0' is full");
    g_clear_error(&error);
    g_assert_null(device_create(vm, "example", bus_find(vm, "hub-bus.0"), NULL, &error, NULL));
    g_assert_cmpstr(error->message, ==, "Device 'example' can't go on hub-bus bus");
    g_clear_error(&error);
    g_assert_false(device_unplug_request(leaf, &error));
    g_clear_error(&error);
    order = 0;
    vm_reset(vm);
    g_assert_cmpuint(order, ==, 2);
    g_assert_cmpuint(((ExampleHub *)hub)->resets, ==, 1);
    device_unplug(hub);
    g_assert_null(bus_find(vm, "hub-bus.0"));
}

static void test_pins_and_reset(void)
{
    g_autoptr(GError) error = NULL;
    Example *a = (Example *)device_create(vm, "example", NULL, NULL, &error, NULL);
    Example *b = (Example *)device_create(vm, "example", NULL, NULL, &error, NULL);

    wire(&a->dev, "irq", 0, &b->dev, "in", 1);
    irq_raise(&a->irq);
    g_assert_cmpuint(b->writes_seen, ==, 2);
    irq_raise(&a->irq);
    g_assert_cmpuint(b->writes_seen, ==, 2);
    a->number = 5;
    a->table[3] = 1;
    device_reset(&a->dev);
    g_assert_cmpuint(b->writes_seen, ==, 102);
    g_assert_cmphex(a->id, ==, 0x010000ed);
    g_assert_cmpuint(a->number, ==, 0);
    g_assert_cmpuint(a->table[3], ==, 7);
    g_assert_true(device_pin_in(&a->dev, "in", 0, 1));
    g_assert_false(device_pin_in(&a->dev, "in", 2, 1));
    g_assert_false(device_pin_in(&a->dev, "out", 0, 1));
    device_unplug(&a->dev);
    device_unplug(&b->dev);
}

static void collect(const StateItem *item, void *opaque)
{
    g_string_append_printf(opaque, "%s:%u*%u ", item->path, item->size, item->count);
}

static void test_state(void)
{
    g_autoptr(GString) s = g_string_new(NULL);

    state_foreach(&example_type, NULL, collect, s);
    g_assert_nonnull(strstr(s->str, "regs.mmio.id:4*1 regs.mmio.number:4*1 regs.mmio.table:1*4 "
                                    "pins.irq[0]:4*1 "));
    g_assert_nonnull(strstr(s->str, " fifo:4*4 fifo_pos.head:1*1 fifo_pos.tail:1*1 "));
}

static void test_globals(void)
{
    g_autoptr(GError) error = NULL;
    Device *d;

    global_prop_add("device", "label", "common");
    global_prop_add("sample", "mode", "slow");
    compat_prop_add("example", "mode", "turbo");
    d = device_new(vm, "example", &error);
    g_assert_cmpint(((Example *)d)->mode, ==, 0);
    g_assert_cmpstr(((Example *)d)->label, ==, "common");
    object_unref(&d->obj);
    global_prop_add("leaf", "nonsense", "1");
    d = device_new(vm, "leaf", &error);
    g_assert_false(device_realize(d, NULL, NULL, &error));
    g_assert_nonnull(strstr(error->message, "can't apply global "));
}

static unsigned events;    /* bits of the events that the test saw */

static void see_event(void *opaque, const VmEventInfo *info)
{
    events |= 1u << info->event;
}

static void test_runstate(void)
{
    int status = -1;

    vm_event_watch(see_event, NULL);
    g_assert_true(runstate_is(RUN_STATE_PRELAUNCH));
    vm_start(vm);
    g_assert_true(runstate_running());
    request_stop(RUN_STATE_DEBUG);
    g_assert_false(runstate_carry_out(vm, &status));
    g_assert_cmpstr(runstate_name(runstate()), ==, "debug");
    vm_start(vm);
    request_suspend();
    g_assert_false(runstate_carry_out(vm, &status));
    g_assert_true(runstate_is(RUN_STATE_SUSPENDED));
    request_wakeup();
    g_assert_false(runstate_carry_out(vm, &status));
    g_assert_true(runstate_running());
    request_reset(SHUTDOWN_GUEST_RESET);
    request_powerdown();
    g_assert_false(runstate_carry_out(vm, &status));
    g_assert_cmphex(events, ==, 1u << VM_EVENT_STOP | 1u << VM_EVENT_RESUME |
                    1u << VM_EVENT_SUSPEND | 1u << VM_EVENT_WAKEUP | 1u << VM_EVENT_RESET |
                    1u << VM_EVENT_POWERDOWN);
    run_actions()->reboot = REBOOT_SHUTDOWN;
    run_actions()->shutdown = SHUTDOWN_PAUSE;
    request_reset(SHUTDOWN_GUEST_RESET);
    g_assert_false(runstate_carry_out(vm, &status));
    g_assert_true(runstate_is(RUN_STATE_SHUTDOWN));
    request_shutdown_with_code(SHUTDOWN_HOST_QMP_QUIT, 7);
    g_assert_true(runstate_carry_out(vm, &status));
    g_assert_cmpint(status, ==, 7);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    main_loop_init();
    vm = vm_new();
    vm->machine_type = (const MachineType *)type_find("none-machine", NULL);
    vm_make_machine(vm);
    g_test_add_func("/qom/sizes", test_sizes);
    g_test_add_func("/qom/props", test_props);
    g_test_add_func("/qom/types", test_types);
    g_test_add_func("/qom/realize", test_realize);
    g_test_add_func("/qom/buses", test_buses);
    g_test_add_func("/qom/pins-and-reset", test_pins_and_reset);
    g_test_add_func("/qom/state", test_state);
    g_test_add_func("/qom/runstate", test_runstate);
    g_test_add_func("/qom/globals", test_globals);
    return g_test_run();
}
