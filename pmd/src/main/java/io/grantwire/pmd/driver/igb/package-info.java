/**
 * Intel's 82576 and I350, the cards of Linux's igb driver: up to 16 queues, RSS, and VMDq pools.
 *
 * <p>To be read beside the 82576EB datasheet, whose sections are cited. Begin with {@link
 * io.grantwire.pmd.driver.igb.IgbDevice}, whose doStart brings a card up; then {@code IgbRxQueue}
 * and {@code IgbTxQueue}, which are all there is to the packet path.
 */
package io.grantwire.pmd.driver.igb;
