package io.grantwire.pmd.driver.igb;

import io.grantwire.pmd.ethdev.EthDeviceException;

/** Makes the failure of an operation on the device: {@code device NAME: WHAT: ERRNO (WHY)}. */
@FunctionalInterface
interface IgbFailures {
    EthDeviceException of(String what, String errno, String why);
}
