# syntax=docker/dockerfile:1

# Build: the whole toolchain, none of which reaches the image that runs.
FROM swift:6.3-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends libmicrohttpd-dev libsimdjson-dev pkg-config zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
# Dependencies alone first: a change of the sources keeps this layer.
COPY Package.swift ./
RUN swift package resolve
COPY Sources ./Sources
COPY Tests ./Tests
COPY openapi.yaml ./
RUN swift build -c release --product kheapd --static-swift-stdlib \
    && install -D -s "$(swift build -c release --show-bin-path)/kheapd" /image/kheapd

# Run: Debian's own builds of the two C libraries, and one binary.
FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends curl libmicrohttpd12 libsimdjson14 libstdc++6 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin kheapd
COPY --from=build /image/kheapd /usr/local/bin/kheapd
USER 10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=2s --start-period=2s --retries=3 \
    CMD ["curl", "--fail", "--silent", "--show-error", "--output", "/dev/null", "http://127.0.0.1:8080/healthz"]
# All interfaces of the container; what reaches it is the decision of whoever publishes the port.
ENTRYPOINT ["/usr/local/bin/kheapd"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080"]
