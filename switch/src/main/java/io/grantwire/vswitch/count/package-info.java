/** What the switch counts, and the counters. */
package io.grantwire.vswitch.count;
