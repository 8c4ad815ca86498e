// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A parallel SCSI bus (SPI-3, SCSI-2 clauses 5 and 6) as the chip of an initiator sees it:
 * selection, phases, messages, disconnection and reselection. The targets are the devices of a
 * ScsiBus; what they say is made here. For chips that move bytes phase by phase (53C8xx, 53C9x).
 * Machine lock.
 */
#ifndef HW_SCSI_SCSI_PHASE_H
#define HW_SCSI_SCSI_PHASE_H

#include "hw/scsi/scsi.h"

/* The numbers are MSG, C/D and I/O on the wires. */
typedef enum ScsiPhase {
    PHASE_DATA_OUT = 0,
    PHASE_DATA_IN = 1,
    PHASE_COMMAND = 2,
    PHASE_STATUS = 3,
    PHASE_MSG_OUT = 6,
    PHASE_MSG_IN = 7,
    PHASE_WAIT = 8, /* connected, but the target does not ask for anything yet */
    PHASE_FREE = 9, /* not connected */
} ScsiPhase;

#define SCSI_PHASE_TARGETS 16
/* Commands on the bus at a time, and bytes that wait in them; more of them are told BUSY. */
#define SCSI_PHASE_TASKS 256
#define SCSI_PHASE_BYTES (64u << 20)

typedef struct ScsiPhaseBus ScsiPhaseBus;
typedef struct ScsiTask ScsiTask;

typedef struct ScsiSense {
    uint32_t lun;
    uint8_t len;
    uint8_t data[SCSI_SENSE_LEN];
} ScsiSense;

struct ScsiPhaseBus {
    ScsiBus *bus;
    /*
     * PHASE_WAIT has ended, or a target wants to be heard (scsi_phase_reselect). Never from inside a
     * call of the chip's.
     */
    void (*changed)(Device *chip);
    bool never_disconnect; /* the chip does not know reselection */
    /* what the chip may look at */
    ScsiPhase phase;
    uint8_t target; /* that it is connected to */
    bool atn; /* the initiator wants to send a message: set by scsi_phase_set_atn */
    /* inside */
    bool may_disconnect, sending_end, parked, fresh;
    uint32_t lun;
    int tag; /* -1: none */
    uint8_t tag_message;
    uint8_t out[16], out_len; /* message that comes in */
    uint8_t in[24], in_len, in_pos; /* messages to the initiator */
    uint8_t cdb[SCSI_CDB_MAX], cdb_len;
    ScsiTask *task; /* of the connection; NULL: no command yet */
    GPtrArray *tasks; /* ScsiTask *, also those that nobody waits for */
    uint64_t bytes; /* in all of them */
    ScsiSense sense[SCSI_PHASE_TARGETS];
};

void scsi_phase_init(ScsiPhaseBus *p, Device *chip, ScsiBus *bus, void (*changed)(Device *chip));
/* After bus_fini() of the SCSI bus: everything has ended. */
void scsi_phase_fini(ScsiPhaseBus *p);
/* For ScsiBusOps.unplugged. */
void scsi_phase_unplugged(ScsiPhaseBus *p, ScsiDevice *d);
/*
 * The chip leaves the bus and forgets what was under way; with `bus`, RST was pulled and targets
 * are reset.
 */
void scsi_phase_reset(ScsiPhaseBus *p, bool bus);

/* Selects a target of a free bus; false: nobody answers. The phase says what it wants. */
bool scsi_phase_select(ScsiPhaseBus *p, uint8_t id, bool atn);
/*
 * SeaBIOS sends messages after it selected without ATN: lets a target that has heard nothing yet
 * take them.
 */
void scsi_phase_late_atn(ScsiPhaseBus *p);
/* Lets a target that waits for it reselect the chip; false: none does, or the bus is not free. */
bool scsi_phase_reselect(ScsiPhaseBus *p);
/*
 * Moves up to len bytes in the phase that the bus is in; the number of them. It ends when the phase
 * does. After the last byte of messages the phase stays until scsi_phase_ack().
 */
uint32_t scsi_phase_out(ScsiPhaseBus *p, const uint8_t *buf, uint32_t len);
uint32_t scsi_phase_in(ScsiPhaseBus *p, uint8_t *buf, uint32_t len);
/* Bytes that are left of a data phase; 0 in the others. */
uint32_t scsi_phase_left(const ScsiPhaseBus *p);
void scsi_phase_set_atn(ScsiPhaseBus *p, bool atn);
/* ACK goes low after a byte of MSG IN. */
void scsi_phase_ack(ScsiPhaseBus *p);
static inline bool scsi_phase_connected(const ScsiPhaseBus *p)
{
    return p->phase != PHASE_FREE;
}

extern const StateField scsi_phase_state[];
/* What was loaded needs no command that is under way. */
bool scsi_phase_check_load(const ScsiPhaseBus *p, GError **error);

#endif
