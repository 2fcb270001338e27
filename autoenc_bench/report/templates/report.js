"use strict";
// Without this script the page reads the same; with it, a table's headings become buttons that sort.
const shown = (row, column) => {
  const cell = row.cells[column], text = cell.textContent.trim();
  const value = parseFloat(cell.dataset.value ?? text.replace(/,/g, ""));
  return { text, value: column && !Number.isNaN(value) ? value : null };
};
const inOrder = (column, sign) => (first, second) => {
  const a = shown(first, column), b = shown(second, column);
  if (column && (a.value === null || b.value === null)) return (a.value === null) - (b.value === null);  // "–" goes last
  return sign * (column ? a.value - b.value : a.text.localeCompare(b.text, "en", { numeric: true }));
};
// Tell readers of a table that is wider than its box.
const hint = () => document.querySelectorAll(".scroll").forEach((box) =>
  box.classList.toggle("scrolls", box.scrollWidth > box.clientWidth + 1));
addEventListener("resize", hint);
for (const table of document.querySelectorAll("table")) {
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    if (!heading.textContent) return;  // it belongs to the column before
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    heading.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = heading.getAttribute("aria-sort") === "ascending";
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      table.tBodies[0].append(...[...table.tBodies[0].rows].sort(inOrder(column, down ? -1 : 1)));
    });
  });
}
hint();
