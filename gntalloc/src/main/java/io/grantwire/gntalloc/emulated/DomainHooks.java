package io.grantwire.gntalloc.emulated;

/**
 * What the emulated host wants to know about the guests that come and go. Called on the
 * hypervisor's only thread: everyone waits meanwhile, so be quick, and do not call the hypervisor
 * from here.
 */
public interface DomainHooks {
    /** Hooks that do nothing. */
    DomainHooks NONE =
            new DomainHooks() {
                @Override
                public void onDomainCreated(int domid, String name, int pid) {}

                @Override
                public void onProcessGone(int domid) {}
            };

    /**
     * A process has claimed a guest domain; its connect returns after this does. Called again when
     * another process claims the domain later, so it must be repeatable. Not called for domain 0.
     *
     * @param domid 1 or greater
     * @param name what the process calls the domain; printable, possibly empty
     * @param pid the process
     * @throws RuntimeException to refuse the claim; the process is told the message
     */
    void onDomainCreated(int domid, String name, int pid);

    /**
     * The process of a guest has closed its connection or died, and what it had is cleaned up: its
     * notify bytes are cleared, its grants ended, its mappings released, its event channels closed.
     *
     * @param domid 1 or greater
     */
    void onProcessGone(int domid);
}
