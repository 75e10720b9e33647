# Millrace's container image: `make image`. `make image-proof` runs these steps in a bare Debian root instead, where no
# container engine is at hand; it reads this file, so keep to the instructions that it knows.

FROM debian:trixie AS build
WORKDIR /src

# What changes least comes first: the compiler, Go, Node.js and FFmpeg 7, from Debian's packages.
# MILLRACE_FFMPEG=static builds FFmpeg from Debian's source instead: 5 minutes longer, half the image, and a process that
# starts in 9 ms where 200 shared libraries take 80.
ARG MILLRACE_FFMPEG=
COPY go.mod go.sum ./
COPY internal/setup internal/setup
RUN internal/setup/setup.sh build

COPY Makefile ./
COPY web/ui/package.json web/ui/package-lock.json web/ui/
COPY jsapi/builtin/package.json jsapi/builtin/package-lock.json jsapi/builtin/
RUN make web/ui/node_modules/.package-lock.json jsapi/builtin/node_modules/.package-lock.json
RUN eval "$(internal/setup/env.sh)" && go mod download

COPY . .
ARG VERSION=dev
RUN make build VERSION="$VERSION" LDFLAGS="-s -w"

# The binary takes along the libraries that it names, but for the C library, which the last stage has. Debian's packages
# of them would bring twice as much: drivers and desktops that nothing here calls.
RUN mkdir -p /out/bin /out/lib \
    && cp bin/millrace /out/bin/ \
    && ldd bin/millrace | awk '$3 ~ "^/" { print $3 }' | grep -vE '/lib(c|m|dl|rt|pthread|resolv)\.so' \
        | xargs -r cp --dereference --target-directory=/out/lib \
    && cp LICENSE /out/

FROM debian:trixie-slim
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 8080 --home-dir /data --no-create-home --shell /usr/sbin/nologin millrace \
    && install --directory --owner=millrace --group=millrace /data
COPY --from=build /out/bin /usr/local/bin
COPY --from=build /out/lib /usr/local/lib
COPY --from=build /out/LICENSE /usr/share/doc/millrace/copyright
RUN ldconfig

# By number, so that an orchestrator can see that it is not root.
USER 8080
WORKDIR /data
# Whoever calls comes by way of the container's network: nobody counts as local, and the first start makes a key.
ENV MILLRACE_DATA=/data
ENV MILLRACE_CONTAINER=1
VOLUME /data

# HTTP; RTSP, and its RTP and RTCP over UDP; RTMP; SRT.
EXPOSE 8080 8554 8000/udp 8001/udp 1935 8890/udp

# bash opens the connection itself: no tool is installed for it. The port follows MILLRACE_HTTP.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD bash -c 'address=${MILLRACE_HTTP:-:8080} && exec 3<>/dev/tcp/127.0.0.1/${address##*:} \
        && printf "GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n" >&3 && read -r _ status _ <&3 && [ "$status" = 200 ]'

ENTRYPOINT ["millrace"]
CMD ["serve"]
