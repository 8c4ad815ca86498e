// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Extensible host controller (xHCI 1.1): what its files share. xhci.c has registers, ports, event
 * rings and interrupts, xhci-cmd.c the command ring, xhci-xfer.c transfer rings.
 */
#ifndef HW_USB_XHCI_H
#define HW_USB_XHCI_H

#include "exec/dma.h"
#include "hw/pci/pci.h"
#include "hw/usb/usb.h"
#include "util/main-loop.h"
#include "util/timer.h"

#define XHCI_MAX_PORTS_2 15u
#define XHCI_MAX_PORTS_3 15u
#define XHCI_MAX_PORTS 30u /* USB 2 and USB 3 root hub ports */
#define XHCI_MAX_SLOTS 64u
#define XHCI_MAX_INTRS 16u
#define XHCI_ENDPOINTS 32u /* device context index 1 to 31 */
#define XHCI_TRB 16u
#define XHCI_MAX_TD 256u /* TRBs of a transfer descriptor */
#define XHCI_MAX_EVENT_RING 4096u /* TRBs */
#define XHCI_MAX_STREAMS 256u /* of an endpoint, with the reserved one */

enum {
    TRB_NORMAL = 1,
    TRB_SETUP,
    TRB_DATA,
    TRB_STATUS,
    TRB_ISOCH,
    TRB_LINK,
    TRB_EVENT_DATA,
    TRB_NOOP,
    TRB_ENABLE_SLOT,
    TRB_DISABLE_SLOT,
    TRB_ADDRESS_DEVICE,
    TRB_CONFIGURE_ENDPOINT,
    TRB_EVALUATE_CONTEXT,
    TRB_RESET_ENDPOINT,
    TRB_STOP_ENDPOINT,
    TRB_SET_DEQUEUE,
    TRB_RESET_DEVICE,
    TRB_GET_BANDWIDTH = 21,
    TRB_COMMAND_NOOP = 23,
    TRB_TRANSFER_EVENT = 32,
    TRB_COMMAND_EVENT = 33,
    TRB_PORT_EVENT = 34,
    TRB_CONTROLLER_EVENT = 37
};
enum {
    TRB_CYCLE = 1,
    TRB_TOGGLE = 2,
    TRB_ISP = 4,
    TRB_CHAIN = 0x10,
    TRB_IOC = 0x20,
    TRB_IDT = 0x40,
    TRB_BSR = 0x200,
    TRB_DIR_IN = 1 << 16
};
enum {
    CC_SUCCESS = 1,
    CC_BABBLE = 3,
    CC_TRANSACTION_ERROR = 4,
    CC_TRB_ERROR = 5,
    CC_STALL = 6,
    CC_NO_SLOTS = 9,
    CC_SLOT_NOT_ENABLED = 11,
    CC_ENDPOINT_NOT_ENABLED = 12,
    CC_SHORT_PACKET = 13,
    CC_PARAMETER = 17,
    CC_CONTEXT_STATE = 19,
    CC_RING_FULL = 21,
    CC_COMMAND_STOPPED = 24,
    CC_STOPPED = 26,
    CC_STOPPED_LENGTH = 27,
    CC_STREAM_ID = 34
};
enum {
    EP_DISABLED,
    EP_RUNNING,
    EP_HALTED,
    EP_STOPPED,
    EP_ERROR
};
enum {
    EP_ISOCH_OUT = 1,
    EP_BULK_OUT,
    EP_INT_OUT,
    EP_CONTROL,
    EP_ISOCH_IN,
    EP_BULK_IN,
    EP_INT_IN
};
enum {
    SLOT_DISABLED,
    SLOT_DEFAULT,
    SLOT_ADDRESSED,
    SLOT_CONFIGURED
};

typedef struct Xhci Xhci;

typedef struct XhciTrb {
    uint64_t parameter;
    uint32_t status, control;
    uint64_t addr; /* where it was read */
} XhciTrb;

static inline unsigned trb_type(const XhciTrb *t)
{
    return t->control >> 10 & 63;
}

typedef struct XhciRing {
    uint64_t dequeue;
    bool cycle;
} XhciRing;

/* A transfer descriptor that was taken from a ring and is not over. */
typedef struct XhciTransfer {
    Xhci *xhci;
    uint8_t slot, ep; /* ep: device context index */
    uint16_t stream;
    UsbPacket packet;
    DmaList data;
    uint8_t immediate[8];
    struct iovec immediate_iov;
    unsigned num_trbs;
    XhciTrb *trbs;
    uint64_t frame; /* isochronous: the 125 us frame in which it is due */
    bool in, waiting, active; /* waiting: NAK; active: at the device */
} XhciTransfer;

typedef struct XhciQueue {
    XhciRing ring;
    XhciTransfer *current;
} XhciQueue;

typedef struct XhciEndpoint {
    uint8_t type, state, interval_exp;
    uint16_t max_packet;
    uint8_t max_streams_exp; /* MaxPStreams: 0 none, else 2^(n+1) */
    uint64_t streams_base;
    uint64_t next_frame; /* isochronous */
    XhciQueue queue; /* without streams */
    XhciQueue *streams; /* by stream id */
    Timer timer; /* isochronous */
    Xhci *xhci;
    uint8_t slot, index;
} XhciEndpoint;

typedef struct XhciSlot {
    bool enabled, addressed;
    uint64_t context; /* output device context */
    UsbPort *port;
    uint32_t route;
    uint8_t saved_port; /* in snapshots: index of `port` and one, 0: none */
    XhciEndpoint *ep[XHCI_ENDPOINTS];
} XhciSlot;

typedef struct XhciEvent {
    uint64_t parameter;
    uint32_t status, control;
} XhciEvent;

typedef struct XhciInterrupter {
    uint64_t segment; /* the one segment of the event ring */
    uint32_t size; /* TRBs in it; 0: none */
    uint32_t enqueue;
    bool cycle;
    bool ring_full;
    uint8_t num_held; /* in snapshots: how many are in `held` */
    GQueue *held; /* XhciEvent *, while the ring is full */
} XhciInterrupter;

struct Xhci {
    PciDevice pci;
    /* properties */
    uint32_t num_ports2, num_ports3, num_slots, num_intrs;
    int msi, msix;
    bool streams_on;
    /* registers */
    uint32_t usbcmd, usbsts, dnctrl, config;
    uint64_t crcr, dcbaap;
    uint32_t portsc[XHCI_MAX_PORTS], portpmsc[XHCI_MAX_PORTS], portli[XHCI_MAX_PORTS],
        porthlpmc[XHCI_MAX_PORTS];
    uint32_t iman[XHCI_MAX_INTRS], imod[XHCI_MAX_INTRS], erstsz[XHCI_MAX_INTRS];
    uint64_t erstba[XHCI_MAX_INTRS], erdp[XHCI_MAX_INTRS];
    /* state */
    XhciRing commands;
    XhciSlot slot[XHCI_MAX_SLOTS + 1];
    XhciInterrupter intr[XHCI_MAX_INTRS];
    int64_t mfindex_start_ns;
    uint8_t *saved; /* tables of xhci-state.c; filled when state is saved */
    /* host side */
    UsbBus bus;
    UsbPort port[XHCI_MAX_PORTS_2]; /* what devices are plugged into */
    unsigned num_ports;
    Bh *kick_bh;
    uint32_t kicked_eps[XHCI_MAX_SLOTS + 1];
};

/* ---- xhci.c ---- */
/* Interrupter numbers out of range go to the first one. */
void xhci_event(Xhci *s, unsigned intr, const XhciEvent *e);
/* Whether new work may be begun, for its events have room. */
bool xhci_event_room(Xhci *s, unsigned intr);
void xhci_kick(Xhci *s, unsigned slot, unsigned ep);
/* Memory that cannot be reached, or a ring that is none: the controller stops (4.24.1). */
void xhci_die(Xhci *s, const char *why);
uint64_t xhci_frame(const Xhci *s);
bool xhci_running(const Xhci *s);
/* Next TRB that is not a link; false: none, or the controller died. */
bool xhci_ring_fetch(Xhci *s, XhciRing *r, XhciTrb *t);
bool xhci_context_read(Xhci *s, uint64_t addr, uint32_t *words, unsigned n);
bool xhci_context_write(Xhci *s, uint64_t addr, const uint32_t *words, unsigned n);

/* ---- xhci-cmd.c ---- */
void xhci_run_commands(Xhci *s);
void xhci_slot_disable(Xhci *s, unsigned slot);

/* ---- xhci-xfer.c ---- */
void xhci_run_endpoint(Xhci *s, unsigned slot, unsigned ep);
XhciEndpoint *xhci_endpoint_new(Xhci *s, unsigned slot, unsigned ep, const uint32_t *ctx);
/* Takes back what is under way; the events of Stop Endpoint when report is set. */
void xhci_endpoint_stop(Xhci *s, XhciEndpoint *e, bool report);
void xhci_endpoint_free(Xhci *s, XhciEndpoint *e);
void xhci_endpoint_set_state(Xhci *s, XhciEndpoint *e, unsigned state);
/* Puts what is under way back on its rings, to be taken again; false: nothing was. */
bool xhci_endpoint_rewind(Xhci *s, XhciEndpoint *e);
/* The queue of a stream (0: none); NULL: no such stream. */
XhciQueue *xhci_queue(Xhci *s, XhciEndpoint *e, unsigned stream);

/* ---- xhci-state.c ---- */
extern const StateField xhci_slot_state[], xhci_interrupter_state[], xhci_ring_state[];
size_t xhci_saved_bytes(Device *d);
const char *xhci_unsaved(Device *d);
void xhci_saving(Device *d);
void xhci_post_load(Device *d);

#endif
