package io.grantwire.vfio;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;

/**
 * The contract on a card, which has to be bound to a driver for programs and named by its address
 * in the property {@code grantwire.pci}: {@code -Dgrantwire.pci=0000:09:00.0,BAR,ABSENT}, with the
 * numbers of a memory BAR and of one that it does not have. The NIC test bed does so.
 */
@Tag("machine")
class RealPciDeviceContractTest extends PciDeviceContractTest {
    private static final String[] CARD = System.getProperty("grantwire.pci", "").split(",");

    @Override
    @BeforeEach
    void openDevice() {
        assumeTrue(CARD.length == 3, "no card is named by -Dgrantwire.pci");
        super.openDevice();
    }

    @Override
    @AfterEach
    void closeDevice() {
        if (CARD.length == 3) {
            super.closeDevice();
        }
    }

    @Override
    protected PciDevice open() {
        return PciDevices.open(PciAddress.parse(CARD[0]));
    }

    @Override
    protected int memoryBar() {
        return Integer.parseInt(CARD[1]);
    }

    @Override
    protected int absentBar() {
        return Integer.parseInt(CARD[2]);
    }
}
