package io.grantwire.xenstore.testing;

import java.nio.file.Path;
import org.testcontainers.dockerclient.DockerClientProviderStrategy;
import org.testcontainers.dockerclient.TransportConfig;

/** Leads Testcontainers to the daemon that the test run has started for itself. */
public final class PrivateDockerStrategy extends DockerClientProviderStrategy {

    @Override
    public String getDescription() {
        return "a Docker daemon of this test run";
    }

    @Override
    protected boolean isApplicable() {
        return PrivateDockerd.socket() != null;
    }

    @Override
    protected int getPriority() {
        return 1000;
    }

    /** It is gone after the run, so the choice must not get into anybody's configuration. */
    @Override
    protected boolean isPersistable() {
        return false;
    }

    @Override
    public TransportConfig getTransportConfig() {
        Path socket = PrivateDockerd.socket();
        return TransportConfig.builder()
                .dockerHost(java.net.URI.create("unix://" + socket))
                .build();
    }
}
