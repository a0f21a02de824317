package io.grantwire.xenstore;

import io.grantwire.xenstore.testing.Via;
import io.grantwire.xenstore.testing.Xenstored;
import io.grantwire.xenstore.testing.XenstoredExtension;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Debian's xenstored is stopped under its clients. */
@Tag("machine")
@ExtendWith(XenstoredExtension.class)
@Timeout(120)
class XenstoredLossIT {

    @Test
    void clientsAreToldThatTheStoreIsGone() throws Exception {
        ConnectionLossTest.assertLossIsTold(
                Xenstored.start(),
                Arrays.stream(Via.values())
                        .filter(v -> v.unavailable().isEmpty())
                        .toArray(Via[]::new));
    }
}
