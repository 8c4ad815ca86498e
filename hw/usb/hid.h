// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Requests and descriptors of the human interface class (Device Class Definition for HID 1.11,
 * sections 7.1 and 7.2).
 */
#ifndef HW_USB_HID_H
#define HW_USB_HID_H

enum {
    GET_REPORT = 1,
    GET_IDLE,
    GET_PROTOCOL,
    SET_REPORT = 9,
    SET_IDLE,
    SET_PROTOCOL
};
enum {
    CLASS_IN = 0xa1,
    CLASS_OUT = 0x21,
    STANDARD_IN_INTERFACE = 0x81
};
enum {
    DT_HID = 0x21,
    DT_REPORT = 0x22,
    GET_DESCRIPTOR = 6
};

#endif
