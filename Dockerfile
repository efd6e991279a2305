# fgbench with torch for CPUs: docker build -t fgbench .   with CUDA: docker build --build-arg TORCH_INDEX= ...
# docker run --rm -v "$PWD:/data" fgbench prepare --data-root my-clips
FROM python:3.12-slim

# Index that torch comes from; empty for pip's own, whose builds for Linux carry CUDA.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
# What is installed beside the core: train, export or trackers.
ARG EXTRAS=export

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1
WORKDIR /src
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY fgbench fgbench
COPY manifests manifests
COPY pipelines pipelines
# The versions that fgbench is tested with; an index of torch has others of what torch needs.
RUN python -m pip install ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} "$(grep '^torch==' constraints.txt)"
RUN python -m pip install --constraint constraints.txt ".[$EXTRAS]"
RUN useradd --create-home --uid 1000 fgbench && mkdir /data && chown fgbench /data

# Caches of matplotlib and numba lie in the user's home.
USER fgbench
VOLUME /data
WORKDIR /data
ENTRYPOINT ["fgbench"]
CMD ["--help"]
