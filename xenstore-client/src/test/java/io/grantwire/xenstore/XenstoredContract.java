package io.grantwire.xenstore;

import io.grantwire.xenstore.testing.StoreUnderTest;
import io.grantwire.xenstore.testing.XenstoredExtension;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;

/** The contract on Debian's unmodified xenstored. */
@Tag("machine")
@ExtendWith(XenstoredExtension.class)
abstract class XenstoredContract extends XenstoreContractTest {
    @Override
    StoreUnderTest server() {
        return XenstoredExtension.xenstored();
    }
}
