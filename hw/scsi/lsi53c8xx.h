// SPDX-License-Identifier: GPL-2.0-or-later
/* The state of a 53C8xx chip, shared by its registers and its SCRIPTS processor. */
#ifndef HW_SCSI_LSI53C8XX_H
#define HW_SCSI_LSI53C8XX_H

#include "hw/pci/pci.h"
#include "scsi-phase.h"

#define LSI_RAM_SIZE 8192u
#define LSI_SLICE_DOUBLES 6 /* how often the pause between slices of a script doubles */

enum { SCNTL1_CONNECTED = 0x10, SCNTL1_RST = 0x08 };
enum { SCNTL2_SDU = 0x80 };
enum { SBCL_REQ = 0x80, SBCL_BSY = 0x20, SBCL_ATN = 0x08 };
enum {
    DSTAT_DFE = 0x80,
    DSTAT_BF = 0x20,
    DSTAT_ABRT = 0x10,
    DSTAT_SSI = 0x08,
    DSTAT_SIR = 0x04,
    DSTAT_IID = 0x01
};
enum {
    ISTAT_ABRT = 0x80,
    ISTAT_SRST = 0x40,
    ISTAT_SIGP = 0x20,
    ISTAT_SEM = 0x10,
    ISTAT_CON = 0x08,
    ISTAT_INTF = 0x04,
    ISTAT_SIP = 0x02,
    ISTAT_DIP = 0x01 };
enum { ISTAT1_SCRUN = 0x02, ISTAT1_SIRQD = 0x01 };
/* SIST0 and, from bit 8, SIST1 */
enum { SIST_MA = 0x80, SIST_UDC = 0x04, SIST_RST = 0x02, SIST_GEN = 0x200, SIST_STO = 0x400 };
enum { DMODE_MAN = 0x01 };
enum { DCNTL_SSM = 0x10, DCNTL_STD = 0x04 };
enum { CCNTL0_ENPMJ = 0x80, CCNTL0_PMJCTL = 0x40, CCNTL0_ENNDJ = 0x20 };
enum { CCNTL1_XTIMOD = 0x04, CCNTL1_EXTIBMV = 0x02, CCNTL1_EXDBMV = 0x01 };
enum { LSI_SCRX_WORDS = 16 };
/* Words from 0xa0: upper halves of addresses. */
enum { SEL_MMRS, SEL_MMWS, SEL_SFS, SEL_DRS, SEL_SBMS, SEL_DBMS, SEL_COUNT };

/* A block move under way: it may have to wait for the target. */
typedef struct LsiMove {
    bool active;
    uint8_t phase;
    uint64_t addr;
    uint32_t left, total;
    uint32_t insn;      /* where the instruction is */
    uint32_t entry;     /* and its table entry, else its second word */
    uint8_t top;        /* upper byte of its count */
} LsiMove;

typedef struct Lsi {
    PciDevice pci;
    ScsiBus bus;
    ScsiPhaseBus wire;
    /* registers */
    uint8_t scntl0, scntl1, scntl2, scntl3, scid, sxfer, sdid, gpreg, sfbr, socl, ssid, dstat, sstat0, sstat1, sstat2;
    uint32_t dsa, temp, dnad, dsp, dsps, scratcha, adder;
    uint8_t istat0, istat1, mbox0, mbox1, ctest0, ctest1, ctest2, ctest3, dfifo, ctest4, ctest5, ctest6;
    uint32_t dbc;       /* and the command, from bit 24 */
    uint8_t dmode, dien, sbr, dcntl, sien0, sien1, sist0, sist1, slpar, swide, macntl, gpcntl, stime0, stime1;
    uint16_t respid;
    uint8_t stest0, stest1, stest2, stest3, ccntl0, ccntl1;
    uint16_t sidl, sodl, sbdl;
    uint32_t scratchb, scrx[LSI_SCRX_WORDS], selector[SEL_COUNT];
    uint64_t dnad64;
    uint32_t pmjad1, pmjad2, rbc, ua, esa, ia, sbc, csbc;
    uint8_t ram[LSI_RAM_SIZE];
    /* the processor */
    bool running;       /* SCRIPTS run; perhaps they wait for the bus */
    bool reselect_wait; /* in WAIT RESELECT */
    bool resume;        /* what they wait for may have come */
    bool carry, target_mode;
    bool ack_due;       /* ACK is held after a message byte */
    bool gone;          /* the target left, and nobody has noticed */
    bool nobody;        /* selected, but nobody answers: the timeout is due */
    uint8_t slices;     /* in a row without a wait */
    LsiMove move;
    bool inside;        /* host side: the processor is on our stack */
    Timer slice, general;
} Lsi;

/* hw/scsi/lsi53c8xx-scripts.c */
void lsi_run(Lsi *s);
/* From the beginning, at DSP. */
void lsi_start(Lsi *s);

/* hw/scsi/lsi53c8xx.c */
void lsi_update_irq(Lsi *s);
/* A reason in DSTAT, or in SIST: the processor stops for those that are fatal. */
void lsi_dma_interrupt(Lsi *s, uint8_t reason);
void lsi_scsi_interrupt(Lsi *s, uint16_t reason);
void lsi_follow_wire(Lsi *s);

#endif
