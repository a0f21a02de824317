package io.grantwire.xenstore.server;

/**
 * What one unprivileged domain may use of the store; domain 0 is not limited by these. A request
 * over a limit is answered with ENOSPC, over {@code memory} with ENOMEM, as xenstored does; over
 * {@code outstanding} the server stops reading from the connection until replies have been taken.
 *
 * <p>The defaults are xenstored's ({@code tools/xenstored/domain.c} of the Xen tree), except {@code
 * connections} and {@code events}, which a real store does not need: there each domain has exactly
 * one connection.
 *
 * @param nodes nodes the domain may own
 * @param nodeSize bytes of one node have to stay below this: its value, its children's names with
 *     their NULs, 8 per permission and 24 for the node
 * @param watches watches the domain may have registered
 * @param transactions transactions the domain may have open
 * @param transactionNodes nodes one transaction may touch
 * @param permissions entries in one node's permission list
 * @param pathLength bytes of a path, not counting a leading {@code /local/domain/<n>/}
 * @param outstanding replies of one connection that wait to be taken
 * @param memory bytes of all its nodes, transactions and watches
 * @param connections connections at one time
 * @param events watch events of one connection that wait to be taken; more are dropped
 */
public record Quotas(
        int nodes,
        int nodeSize,
        int watches,
        int transactions,
        int transactionNodes,
        int permissions,
        int pathLength,
        int outstanding,
        int memory,
        int connections,
        int events) {

    /** What xenstored starts with. */
    public static final Quotas DEFAULT =
            new Quotas(1000, 2048, 128, 10, 1024, 5, 2048, 20, 2560 * 1024, 16, 1024);

    /** Checks that every limit is positive. */
    public Quotas {
        if (nodes < 1
                || nodeSize < 1
                || watches < 1
                || transactions < 1
                || transactionNodes < 1
                || permissions < 1
                || pathLength < 1
                || outstanding < 1
                || memory < 1
                || connections < 1
                || events < 1) {
            throw new IllegalArgumentException("every xenstore quota has to be at least 1");
        }
    }
}
