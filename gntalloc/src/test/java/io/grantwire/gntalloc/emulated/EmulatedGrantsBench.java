package io.grantwire.gntalloc.emulated;

import io.grantwire.gntalloc.EventChannel;
import io.grantwire.gntalloc.GrantMapping;
import io.grantwire.gntalloc.GrantShare;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * What sharing, mapping and events cost on the emulated host; run its main by hand. Each line is
 * the best and the median of a number of rounds in one process, the hypervisor on its own thread.
 */
public final class EmulatedGrantsBench {
    private EmulatedGrantsBench() {}

    /** Prints the table. */
    public static void main(String[] args) {
        try (EmulatedHostFixture host = new EmulatedHostFixture()) {
            HypervisorClient dom0 = host.connect(0);
            HypervisorClient guest = host.connect(1);
            for (int round = 0; round < 2; round++) {
                boolean print = round > 0;
                for (int pages : new int[] {1, 64, 1024, 8192, 32768}) {
                    pages(dom0, guest, pages, pages < 8192 ? 200 : 20, print);
                }
                events(dom0.openEvents(), guest.openEvents(), print);
            }
        }
    }

    private static void pages(
            HypervisorClient dom0, HypervisorClient guest, int pages, int rounds, boolean print) {
        List<Long> share = new ArrayList<>();
        List<Long> map = new ArrayList<>();
        List<Long> unmap = new ArrayList<>();
        List<Long> end = new ArrayList<>();
        List<Long> shuffled = new ArrayList<>();
        Random random = new Random(1);
        for (int i = 0; i < rounds; i++) {
            long t = System.nanoTime();
            GrantShare s = guest.sharer().share(0, pages, true);
            share.add(System.nanoTime() - t);
            List<Integer> grefs =
                    new ArrayList<>(IntStream.range(0, pages).map(s::gref).boxed().toList());
            t = System.nanoTime();
            GrantMapping m = dom0.mapper().map(1, ints(grefs), true);
            map.add(System.nanoTime() - t);
            t = System.nanoTime();
            m.close();
            unmap.add(System.nanoTime() - t);
            Collections.shuffle(grefs, random);
            t = System.nanoTime();
            m = dom0.mapper().map(1, ints(grefs), true);
            shuffled.add(System.nanoTime() - t);
            m.close();
            t = System.nanoTime();
            s.close();
            end.add(System.nanoTime() - t);
        }
        if (print) {
            System.out.printf("%6d pages: share %s, map %s", pages, us(share), us(map));
            System.out.printf(
                    ", unmap %s, end %s, map shuffled %s%n", us(unmap), us(end), us(shuffled));
        }
    }

    private static void events(EventChannel a, EventChannel b, boolean print) {
        int offered = a.bindUnbound(1);
        int bound = b.bindInterdomain(0, offered);
        b.unmask(b.await(Duration.ofSeconds(1)));
        List<Long> notify = new ArrayList<>();
        List<Long> take = new ArrayList<>();
        for (int i = 0; i < 20_000; i++) {
            long t = System.nanoTime();
            a.notify(offered);
            notify.add(System.nanoTime() - t);
            t = System.nanoTime();
            b.unmask(b.await(Duration.ZERO));
            take.add(System.nanoTime() - t);
        }
        if (print) {
            System.out.printf("events: notify %s, await and unmask %s%n", us(notify), us(take));
        }
        a.unbind(offered);
        b.unbind(bound);
    }

    private static int[] ints(List<Integer> list) {
        return list.stream().mapToInt(Integer::intValue).toArray();
    }

    private static String us(List<Long> nanos) {
        Collections.sort(nanos);
        return "%.1f/%.1f us".formatted(nanos.getFirst() / 1e3, nanos.get(nanos.size() / 2) / 1e3);
    }
}
