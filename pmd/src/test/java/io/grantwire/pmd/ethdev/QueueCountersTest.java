package io.grantwire.pmd.ethdev;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class QueueCountersTest {
    @Test
    void eachCounterIsItsOwn() {
        QueueCounters c = new QueueCounters();
        c.add(3, 192);
        c.add(2, 10);
        c.addErrors(4);
        c.addMissed(5);
        c.addNoMbuf(6);
        assertEquals(5, c.packets());
        assertEquals(202, c.bytes());
        assertEquals(4, c.errors());
        assertEquals(5, c.missed());
        assertEquals(6, c.noMbuf());
    }
}
