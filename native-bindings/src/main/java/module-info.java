/**
 * The only module that may call restricted methods of the Foreign Function and Memory API:
 * jextract's output for libc, the Linux uapi headers, Xen's device headers and libxenstore, and a
 * small hand-written face over it.
 */
@SuppressWarnings("module") // the modules that the last line names come later
module io.grantwire.bindings {
    exports io.grantwire.bindings;
    exports io.grantwire.bindings.gen.libc;
    exports io.grantwire.bindings.gen.uapi;
    exports io.grantwire.bindings.gen.xen;
    exports io.grantwire.bindings.gen.xenstore;
    exports io.grantwire.bindings.raw to
            io.grantwire.pmd,
            io.grantwire.vswitch;
}
