"use strict";
// Sorts tables by their heads, and lets the reader choose light or dark. The page is whole without it.
for (const table of document.querySelectorAll("table.sort")) {
  const body = table.tBodies[0];
  const heads = table.tHead.rows[0].cells;
  if (body.rows.length < 2) continue;
  [...heads].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") === "descending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const key = (row) => row.cells[column]?.dataset.k ?? row.cells[column]?.textContent ?? "";
      const rows = [...body.rows].map((row) => [key(row), row]);
      const numeric = rows.every(([k]) => k === "-" || (k !== "" && !Number.isNaN(Number(k))));
      const order = numeric
        ? ([a], [b]) => (a === "-" ? -Infinity : Number(a)) - (b === "-" ? -Infinity : Number(b)) || 0
        : ([a], [b]) => a.localeCompare(b, "en", { numeric: true });
      rows.sort(order);
      if (!up) rows.reverse();
      body.append(...rows.map(([, row]) => row));
    });
  });
}
const root = document.documentElement;
const theme = document.getElementById("theme");
theme.hidden = false;
theme.addEventListener("click", () => {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});
// On a phone the contents are folded away; on paper everything is open.
const nav = document.getElementById("contents");
const wide = matchMedia("(min-width: 1000px)");
const fold = () => { nav.open = wide.matches; };
fold();
wide.addEventListener("change", fold);
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("main details")) details.open = true;
});
