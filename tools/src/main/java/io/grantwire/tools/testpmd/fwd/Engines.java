package io.grantwire.tools.testpmd.fwd;

import java.util.List;

/** The forwarding modes there are. */
public final class Engines {
    private static final List<ForwardEngine> ALL =
            List.of(
                    new IoEngine(),
                    new MacEngine(),
                    new MacSwapEngine(),
                    new FlowGenEngine(),
                    new RxOnlyEngine(),
                    new TxOnlyEngine(),
                    new CsumEngine(),
                    new IcmpEchoEngine());

    private Engines() {}

    /** All modes, in the order help shows them. */
    public static List<ForwardEngine> all() {
        return ALL;
    }

    /** The mode of that name ({@code mac_swap} is an older name of macswap), or null. */
    public static ForwardEngine find(String name) {
        String wanted = name.equals("mac_swap") ? "macswap" : name;
        for (ForwardEngine engine : ALL) {
            if (engine.name().equals(wanted)) {
                return engine;
            }
        }
        return null;
    }

    /** The names, joined. */
    public static String names(String separator) {
        return String.join(separator, ALL.stream().map(ForwardEngine::name).toList());
    }
}
