package io.grantwire.bindings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class TimeStampCounterTest {
    @Test
    void isThereOnX86AndOnlyThere() {
        assertEquals(
                System.getProperty("os.arch").equals("amd64"), TimeStampCounter.open().isPresent());
    }

    @Test
    void runsAtTheRateOfSomeProcessor() throws InterruptedException {
        Optional<TimeStampCounter> opened = TimeStampCounter.open();
        assumeTrue(opened.isPresent(), "only x86-64 has this counter");
        TimeStampCounter counter = opened.get();
        long nanos = System.nanoTime();
        long ticks = counter.read();
        Thread.sleep(20);
        double perNano = (double) (counter.read() - ticks) / (System.nanoTime() - nanos);
        assertTrue(perNano > 0.2 && perNano < 10, perNano + " GHz");
    }
}
