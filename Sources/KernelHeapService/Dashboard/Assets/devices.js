// Devices of the driver model: what goes with them and in which order, what they reach; and the character devices.
import * as api from "./api.js";
import { bytes, h, number, replace } from "./dom.js";
import { t } from "./i18n.js";
import { addressLink, callLink, invitation, prefill } from "./links.js";

const tones = { memory: "--state-slab", pages: "--state-kernel", coherent_dma: "--state-file", action: "--state-vmalloc" };
const arrows = { DMA_TO_DEVICE: "→", DMA_FROM_DEVICE: "←", DMA_BIDIRECTIONAL: "↔", DMA_NONE: "·" };
const starters = [["device_register", { name: "sensor" }], ["devm_kzalloc", { dev: "sensor", size: "64", gfp: "GFP_KERNEL" }], ["dma_set_mask", { dev: "sensor", mask: "0xffffff" }], ["device_driver_attach", { drv: "sensor_drv", dev: "sensor" }]];

export function create(context) {
  const place = h("div", { className: "stack" });
  const element = h("div", {},
    h("header", { className: "view-head" }, h("h1", {}, t("view.devices")), h("p", { className: "lead" }, t("devices.lead"))),
    place);

  async function refresh() {
    const state = await api.view(context.id, "devices");
    if (place.contains(document.activeElement) && !document.activeElement.matches(".scroll")) return;
    replace(place,
      state.bus_devices.length + state.devices.length === 0 ? invitation(context, t("devices.none"), starters) : null,
      state.bus_devices.map(busDevice),
      state.devices.length ? characterDevices(state.devices) : null);
  }

  function busDevice(device) {
    return h("section", { className: "card device", "aria-label": device.name },
      h("header", { className: "row" },
        h("h2", {}, device.name),
        device.registered ? null : h("span", { className: "chip-bad" }, t("devices.gone")),
        device.driver
          ? h("span", { className: "chip", css: { "--tone": "var(--good)" } }, t("devices.bound", { driver: device.driver }))
          : h("span", { className: "count" }, t("devices.unbound")),
        device.driver ? h("button", { type: "button", className: "quiet", onclick: () => prefill(context, "device_release_driver", { dev: device.name }) }, t("devices.unbind")) : null),
      h("dl", { className: "facts wide" }, [
        ["struct device", addressLink(context, device.dev)], [t("devices.registered"), callLink(context, device.call)],
        [t("devices.mask"), mask(device.dma_mask)], [t("devices.coherent"), mask(device.coherent_dma_mask)],
        [t("page.references"), number(device.references)], [t("devices.files"), `${device.character_devices.map((name) => `/dev/${name}`).join(", ") || "—"} · ${number(device.open_files)}`],
      ].map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
      h("h3", {}, t("devices.resources"), " ", h("span", { className: "count" }, number(device.resources.filter((entry) => tones[entry.kind]).length + device.omitted_resources))),
      device.resources.length ? resources(device) : h("p", { className: "fine" }, t("devices.no-resources")),
      device.mappings.length ? mappings(device) : null);
  }

  /** Which addresses a device can put on the bus, as lines and as the limit that follows. */
  function mask(value) {
    const bits = BigInt(value).toString(2).replace(/^0+/, "").length;
    const isWhole = BigInt(value) + 1n === 1n << BigInt(bits);
    return h("span", { className: "mask" },
      h("span", { className: "mask-bits", role: "img", "aria-label": t("devices.bits", { count: bits }) }, h("i", { css: { width: `${(bits / 64) * 100}%` } })),
      isWhole && bits < 64 ? t("devices.reach", { count: bits, limit: bytes(1n << BigInt(bits)) }) : isWhole ? t("devices.all", { count: bits }) : String(value));
  }

  /** The resources as they go: the newest first; a group is a frame around its own. */
  function resources(device) {
    return h("div", { className: "devres" },
      h("p", { className: "fine devres-end" }, t("devices.first")),
      list(tree(device.resources)),
      h("p", { className: "fine devres-end" }, t("devices.last")),
      device.omitted_resources ? h("p", { className: "fine" }, t("detail.many", { count: number(device.omitted_resources) })) : null);
  }

  const list = (entries) => h("ol", { className: "devres-list" }, [...entries].reverse().map((entry) => (entry.members ? group(entry) : resource(entry))));

  function group(entry) {
    return h("li", { className: `devres-group ${entry.isOpen ? "is-open" : ""}` },
      h("p", { className: "fine" }, t(entry.isOpen ? "devices.group-open" : "devices.group"), " ", callLink(context, entry.open.call), entry.close ? [" – ", callLink(context, entry.close.call)] : null),
      entry.members.length ? list(entry.members) : h("p", { className: "fine" }, t("devices.group-empty")));
  }

  function resource(entry) {
    const target = entry.pages ?? entry.cpu_addr ?? (entry.kind === "action" ? null : entry.address);
    const size = entry.kind === "pages" ? bytes(4096 * 2 ** entry.order) : entry.kind === "coherent_dma" ? bytes(entry.bytes) : entry.kind === "action" ? "" : bytes(entry.size);
    return h("li", { className: "devres-entry", css: { "--tone": `var(${tones[entry.kind] ?? "--muted"})` } },
      h("span", {}, h("code", {}, entry.function), entry.action ? [" ", h("b", {}, `${entry.action}(${entry.data ?? ""})`)] : null),
      h("span", { className: "devres-size" }, size), h("span", {}, target ? addressLink(context, target) : null), h("span", { className: "devres-call" }, callLink(context, entry.call)));
  }

  function mappings(device) {
    return [
      h("h3", {}, t("devices.mappings"), " ", h("span", { className: "count" }, number(device.mappings.length + device.omitted_mappings))),
      h("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": t("devices.mappings") }, h("table", { className: "list plain" },
        h("thead", {}, h("tr", {}, ["memory", "direction", "bus", "size", "kind", "call"].map((name) => h("th", { scope: "col" }, t(`devices.map.${name}`))))),
        h("tbody", {}, device.mappings.map((entry) => h("tr", {},
          h("th", { scope: "row" }, addressLink(context, entry.cpu_addr)),
          h("td", {}, h("span", { className: "direction", title: entry.direction }, arrows[entry.direction] ?? "?"), " ", h("span", { className: "fine" }, (entry.direction ?? "").replace("DMA_", "").toLowerCase())),
          h("td", { className: "mono" }, entry.address), h("td", {}, bytes(entry.size)),
          h("td", {}, entry.kind, entry.bounced ? [" ", h("span", { className: "chip-bad" }, t("devices.bounced"))] : null), h("td", {}, callLink(context, entry.call))))))),
    ];
  }

  function characterDevices(devices) {
    return h("section", { className: "card" }, h("h2", {}, t("devices.character")),
      h("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": t("devices.character") }, h("table", { className: "list plain" },
        h("thead", {}, h("tr", {}, ["path", "major", "methods", "variables", "open"].map((name) => h("th", { scope: "col" }, t(`devices.chr.${name}`))))),
        h("tbody", {}, devices.map((device) => h("tr", {},
          h("th", { scope: "row" }, h("code", {}, device.path), device.registered ? null : [" ", h("span", { className: "chip-bad" }, t("devices.gone"))]),
          h("td", {}, device.major), h("td", {}, device.methods.join(", ")),
          h("td", {}, device.variables.map((variable) => h("div", {}, h("code", {}, variable.name), " = ", BigInt(variable.value) > 0xffffn ? addressLink(context, variable.value) : variable.value))),
          h("td", {}, device.files.length ? device.files.slice(0, 20).map((file) => h("div", {}, `PID ${file.pid} · fd ${file.fd} `, addressLink(context, file.file))) : "—")))))));
  }

  return { element, refresh };
}

/** Groups with their members inside. A group that is not closed holds what came after it. */
function tree(entries) {
  const root = { members: [] };
  const open = [root];
  for (const entry of entries) {
    if (entry.kind === "group_open") {
      const made = { open: entry, members: [], isOpen: true };
      open.at(-1).members.push(made);
      open.push(made);
    } else if (entry.kind === "group_close") {
      const place = open.findLastIndex((group) => group.open?.address === entry.address);
      if (place < 1) continue;
      Object.assign(open[place], { close: entry, isOpen: false });
      open.splice(place);
    } else open.at(-1).members.push(entry);
  }
  return root.members;
}
