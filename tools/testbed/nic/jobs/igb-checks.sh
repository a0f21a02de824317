# shellcheck shell=sh disable=SC2154
# What the igb driver does beyond moving frames, through VFIO and UIO.
igb() { checks "igb $1 through $driver" bed_java io.grantwire.bed.IgbChecks "$1" igb0 "$(bdf_of igb0)" igb1 "$(bdf_of igb1)"; }
for driver in vfio-pci uio_pci_generic; do
    for card in igb0 igb1; do
        check "$card binds to $driver" bind $card $driver
    done
    for what in rss vmdq offloads statistics link bridge restarts; do
        igb $what
    done
    if [ $driver = vfio-pci ]; then
        igb interrupts
    fi
    [ $driver != uio_pci_generic ] || igb line
done
