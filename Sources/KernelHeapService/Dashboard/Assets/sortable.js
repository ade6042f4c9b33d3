// A table that is sorted by a click on a column's head.
import { h, replace } from "./dom.js";
import { t } from "./i18n.js";

/**
 * - columns: `{ key, label, value, show, isText, className }`; `value` gives what is compared, `show` what is seen.
 * - sort: `{ key, isDown }` to begin with.
 */
export function sortable(label, columns, sort) {
  const element = h("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": label });
  let rows = [];

  function draw() {
    const column = columns.find((entry) => entry.key === sort.key);
    const compare = (a, b) => {
      const [left, right] = [column.value(a), column.value(b)];
      // What is not known stands last, whichever way the table is sorted.
      if (left === null || right === null) return (left === null) - (right === null);
      return (sort.isDown ? -1 : 1) * (column.isText ? String(left).localeCompare(String(right)) : left - right);
    };
    const body = [...rows].sort(compare).map((row) =>
      h("tr", {}, columns.map((entry, index) => h(index === 0 ? "th" : "td", { scope: index === 0 ? "row" : undefined, className: entry.className ?? "" }, entry.show(row)))));
    replace(element, h("table", { className: "list" }, h("thead", {}, h("tr", {}, columns.map(head))), h("tbody", {}, body)),
      rows.length ? null : h("p", { className: "empty" }, t("table.none")));
  }

  function head(column) {
    const isSorted = column.key === sort.key;
    return h("th", { scope: "col", className: column.className ?? "", "aria-sort": isSorted ? (sort.isDown ? "descending" : "ascending") : undefined },
      h("button", { type: "button", className: "sort", onclick: () => {
        sort = { key: column.key, isDown: isSorted ? !sort.isDown : !column.isText };
        draw();
        element.querySelector("[aria-sort] .sort")?.focus();
      } }, column.label, isSorted ? (sort.isDown ? " ↓" : " ↑") : ""));
  }

  return {
    element,
    set: (fresh) => {
      rows = fresh;
      draw();
    },
  };
}
