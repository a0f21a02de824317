package io.grantwire.tools.demo;

/**
 * What the generator is to send and to expect.
 *
 * @param frames how many frames at most, 0 for no limit
 * @param nanos how long at most, 0 for no limit
 * @param length bytes of a frame with its VLAN tag, without CRC
 * @param vlan VLAN of what is sent
 * @param dst destination of what is sent
 * @param src source of what is sent
 * @param expectVlan VLAN that frames come back with
 * @param expectDst destination that frames come back with
 * @param expectSrc source that frames come back with
 * @param window most frames on their way at once
 */
record TrafficPlan(
        long frames,
        long nanos,
        int length,
        int vlan,
        long dst,
        long src,
        int expectVlan,
        long expectDst,
        long expectSrc,
        int window) {}
