# plex-prune as a container image:
#
#   docker build --build-arg PLEX_PRUNE_COMMIT="$(git rev-parse --short HEAD)" -t plex-prune .
#   docker run --rm plex-prune --version
#
# It does one pass and exits, like the program; examples/compose.yaml shows how to give it a schedule.

# Built on Debian 12 and run on Debian 13: a program wants the C library that it was built with, or a newer one. So it
# also runs outside of the image, on hosts as old as Debian 12, such as TrueNAS SCALE.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /build

# snooze waits for a time, and then becomes another program: a scheduler that needs neither root nor a shell.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends snooze \
    && rm -rf /var/lib/apt/lists/*

# The dependencies, with an empty program around them: this layer is built again when they change, not when src does.
# Of the tests' crate, cargo wants to see no more than the manifest.
COPY Cargo.toml Cargo.lock ./
COPY tests/standins/Cargo.toml tests/standins/
RUN mkdir src \
    && echo '#![allow(warnings)] fn main() {}' > build.rs \
    && cp build.rs src/lib.rs \
    && cp build.rs src/main.rs \
    && cargo build --release --locked \
    && cargo clean --release --locked --package plex-prune \
    && rm -r build.rs src

COPY build.rs ./
COPY src src
ARG PLEX_PRUNE_COMMIT=""
RUN cargo build --release --locked \
    && install -D -t /image/usr/local/bin target/release/plex-prune /usr/bin/snooze \
    && install -d -m 0700 -o 65532 -g 65532 /image/app/state

# No shell and no package manager: the C library, the authorities to trust, and the two programs.
FROM gcr.io/distroless/cc-debian13:nonroot
COPY --from=build /image/ /

ARG PLEX_PRUNE_COMMIT=""
LABEL org.opencontainers.image.title="plex-prune" \
      org.opencontainers.image.description="Watch something every 30 days, or lose access to a shared Plex server" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="$PLEX_PRUNE_COMMIT"

USER 65532:65532
ENV STATE_DIR=/app/state
# A new volume takes over the folder's owner and mode, which are right.
VOLUME ["/app/state"]

# It is no service whose health could be asked for: exit codes, `plex-prune status` and `plex-prune verify` tell.
HEALTHCHECK NONE
ENTRYPOINT ["/usr/local/bin/plex-prune"]
