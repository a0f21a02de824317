/**
 * Serving one guest's rings: its memory, the one ring walker, and the copies between rings and
 * mbufs. Nothing here knows of xenstore, MAC addresses or other guests.
 */
package io.grantwire.vswitch.ring;
