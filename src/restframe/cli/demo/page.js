"use strict";
// Two panels (passengers, score) and a strip of the whole time, drawn on one canvas from the numbers in #data.
const data = JSON.parse(document.getElementById("data").textContent);
const { start, minutes, riders, scores, cutoff, events } = data;
const COUNT = minutes.length;
const MINUTE = 60000;
const at = (i) => start + minutes[i] * MINUTE;
const FIRST = at(0), LAST = at(COUNT - 1) + 30 * MINUTE;
const NARROWEST = 12 * 60 * MINUTE;
const TOP_RIDERS = Math.max(...riders) * 1.06;
const TOP_SCORE = Math.max(cutoff * 1.3, ...scores) * 1.06;

const box = document.getElementById("chart");
const canvas = box.querySelector("canvas");
const tip = document.getElementById("tip");
const reset = document.getElementById("reset");
const pen = canvas.getContext("2d");

let view = [FIRST, LAST];
let hover = -1;
let selection = null; // [time, time] while dragging
let gesture = null;
let layout = null;
let colours = {};

// Time on the axes is the clock's own, kept as if it were UTC.
const format = (options) => {
  const formatter = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options });
  return (time) => formatter.format(time);
};
const asMonth = format({ month: "short", year: "numeric" });
const asDay = format({ day: "numeric", month: "short" });
const asWeekday = format({ weekday: "short", day: "numeric", month: "short" });
const asClock = format({ hour: "2-digit", minute: "2-digit" });
const asFull = format({ weekday: "long", day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit" });
const count = new Intl.NumberFormat("en-US");

function arrange() {
  const ratio = window.devicePixelRatio || 1;
  const { width, height } = box.getBoundingClientRect();
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  const left = 52, right = width - 10, strip = 46, labels = 40, axis = 22, gap = 14;
  const plot = height - labels - axis - strip - gap - 18;
  const ridersBottom = labels + plot * 0.58;
  layout = {
    width, height, left, right,
    riders: { top: labels, bottom: ridersBottom, max: TOP_RIDERS },
    scores: { top: ridersBottom + gap, bottom: labels + plot + gap, max: TOP_SCORE },
    strip: { top: height - strip, bottom: height - 2, max: TOP_RIDERS },
  };
  const style = getComputedStyle(document.documentElement);
  for (const name of ["card", "ink", "soft", "line", "grid", "riders", "riders-fill", "score", "cutoff", "alarm", "event", "event-edge", "holiday", "holiday-edge", "select"]) {
    colours[name] = style.getPropertyValue("--" + name).trim();
  }
  draw();
}

const span = () => view[1] - view[0];
const x = (time) => layout.left + ((time - view[0]) / span()) * (layout.right - layout.left);
const timeAt = (px) => view[0] + ((px - layout.left) / (layout.right - layout.left)) * span();
const y = (panel, value) => panel.bottom - (value / panel.max) * (panel.bottom - panel.top);
const stripX = (time) => layout.left + ((time - FIRST) / (LAST - FIRST)) * (layout.right - layout.left);
const stripTime = (px) => FIRST + ((px - layout.left) / (layout.right - layout.left)) * (LAST - FIRST);

// The first row at or after a time.
function indexAt(time) {
  let low = 0, high = COUNT;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at(middle) < time) low = middle + 1; else high = middle;
  }
  return low;
}

function draw() {
  pen.clearRect(0, 0, layout.width, layout.height);
  pen.font = "12px system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";
  bands();
  verticalAxis(layout.riders, 5, (v) => (v >= 1000 ? v / 1000 + "k" : String(v)));
  verticalAxis(layout.scores, 4, (v) => String(+v.toFixed(2)));
  horizontalAxis();
  clipped(() => {
    curve(layout.riders, riders, colours.riders, colours["riders-fill"]);
    curve(layout.scores, scores, colours.score, null);
    cutoffLine();
    alarms();
  });
  label("cut-off " + cutoff.toFixed(3), layout.left + 8, y(layout.scores, cutoff) - 7, "left", colours.cutoff);
  caption(layout.riders, "passengers per half hour");
  caption(layout.scores, "anomaly score");
  eventLabels();
  strip();
  if (selection) shade(x(selection[0]), x(selection[1]), layout.riders.top, layout.scores.bottom, colours.select);
  if (hover >= 0) crosshair();
}

function clipped(paint) {
  pen.save();
  pen.beginPath();
  pen.rect(layout.left, 0, layout.right - layout.left, layout.height);
  pen.clip();
  paint();
  pen.restore();
}

function shade(from, to, top, bottom, colour) {
  pen.fillStyle = colour;
  pen.fillRect(Math.min(from, to), top, Math.abs(to - from), bottom - top);
}

function bands() {
  clipped(() => {
    for (const event of events) {
      if (event.end < view[0] || event.start > view[1]) continue;
      shade(x(event.start), x(event.end), layout.riders.top, layout.scores.bottom, colours[event.kind]);
    }
  });
}

// Names above the bands: labelled events first, each where it still finds room in one of two lines.
function eventLabels() {
  const taken = [[], []];
  const shown = events.filter((event) => event.end > view[0] && event.start < view[1]);
  shown.sort((a, b) => (a.kind === "event" ? 0 : 1) - (b.kind === "event" ? 0 : 1));
  pen.textAlign = "center";
  for (const event of shown) {
    const from = Math.max(x(event.start), layout.left), to = Math.min(x(event.end), layout.right);
    pen.font = (event.kind === "event" ? "600 " : "") + "12px system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";
    const half = pen.measureText(event.name).width / 2;
    const centre = Math.min(Math.max((from + to) / 2, layout.left + half), layout.right - half);
    const line = taken.findIndex((spots) => spots.every(([a, b]) => centre + half + 8 < a || centre - half - 8 > b));
    if (line < 0) continue;
    taken[line].push([centre - half, centre + half]);
    pen.fillStyle = colours[event.kind + "-edge"];
    pen.fillText(event.name, centre, layout.riders.top - 8 - 16 * line);
  }
  pen.textAlign = "left";
  pen.font = "12px system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";
}

function niceStep(max, parts) {
  const rough = max / parts, power = 10 ** Math.floor(Math.log10(rough));
  return power * [1, 2, 2.5, 5, 10].find((m) => m * power >= rough);
}

function verticalAxis(panel, parts, label) {
  const step = niceStep(panel.max, parts);
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  for (let value = 0; value <= panel.max; value += step) {
    const level = Math.round(y(panel, value)) + 0.5;
    pen.strokeStyle = value === 0 ? colours.line : colours.grid;
    stroke([[layout.left, level], [layout.right, level]]);
    pen.fillStyle = colours.soft;
    pen.fillText(label(value), layout.left - 8, level);
  }
  pen.textBaseline = "alphabetic";
  pen.textAlign = "left";
}

function horizontalAxis() {
  const day = 1440 * MINUTE, room = (layout.right - layout.left) / 80;
  const wanted = span() / room;
  pen.textAlign = "center";
  for (const time of ticks(wanted, day)) {
    const px = Math.round(x(time)) + 0.5;
    if (px < layout.left || px > layout.right) continue;
    pen.strokeStyle = colours.grid;
    stroke([[px, layout.riders.top], [px, layout.scores.bottom]]);
    pen.fillStyle = colours.soft;
    const midnight = new Date(time).getUTCHours() === 0;
    const text = wanted > 12 * day ? asMonth(time) : wanted > day / 2 || midnight ? (wanted > 2 * day ? asDay(time) : asWeekday(time)) : asClock(time);
    pen.fillText(text, Math.min(Math.max(px, layout.left + 24), layout.right - 28), layout.scores.bottom + 16);
  }
  pen.textAlign = "left";
}

function ticks(wanted, day) {
  const found = [];
  if (wanted > 12 * day) {
    const months = [1, 2, 3, 6, 12].find((m) => m * 31 * day >= wanted) || 12;
    const from = new Date(view[0]);
    let month = new Date(Date.UTC(from.getUTCFullYear(), 0, 1));
    for (; month <= view[1]; month = new Date(Date.UTC(month.getUTCFullYear(), month.getUTCMonth() + months, 1))) found.push(+month);
    return found;
  }
  const hour = day / 24;
  const step = [hour, 2 * hour, 3 * hour, 6 * hour, 12 * hour, day, 2 * day, 7 * day, 14 * day, 28 * day].find((s) => s >= wanted);
  const anchor = Date.UTC(2001, 0, 1); // a Monday, so that weeks start there
  for (let time = anchor + Math.ceil((view[0] - anchor) / step) * step; time <= view[1]; time += step) found.push(time);
  return found;
}

function stroke(points) {
  pen.beginPath();
  points.forEach(([a, b], i) => (i ? pen.lineTo(a, b) : pen.moveTo(a, b)));
  pen.stroke();
}

// Where several rows share a pixel, the band from their least to their greatest value; otherwise the line itself.
function curve(panel, values, colour, fill) {
  const from = Math.max(0, indexAt(view[0]) - 1), to = Math.min(COUNT - 1, indexAt(view[1]));
  pen.strokeStyle = colour;
  pen.lineWidth = 1.4;
  pen.lineJoin = "round";
  const columns = new Map();
  if (to - from > (layout.right - layout.left) * 1.5) {
    for (let i = from; i <= to; i++) {
      const px = Math.round(x(at(i)));
      const known = columns.get(px);
      if (known) { known[0] = Math.min(known[0], values[i]); known[1] = Math.max(known[1], values[i]); }
      else columns.set(px, [values[i], values[i]]);
    }
    pen.lineWidth = 1;
    pen.beginPath();
    for (const [px, [low, high]] of columns) { pen.moveTo(px + 0.5, y(panel, low) + 0.5); pen.lineTo(px + 0.5, y(panel, high) - 0.5); }
    pen.globalAlpha = 0.75;
    pen.stroke();
    pen.globalAlpha = 1;
  } else {
    const points = [];
    for (let i = from; i <= to; i++) points.push([x(at(i)), y(panel, values[i])]);
    if (fill && points.length) {
      pen.fillStyle = fill;
      pen.beginPath();
      pen.moveTo(points[0][0], panel.bottom);
      points.forEach(([a, b]) => pen.lineTo(a, b));
      pen.lineTo(points[points.length - 1][0], panel.bottom);
      pen.fill();
    }
    stroke(points);
  }
  pen.lineWidth = 1;
}

function cutoffLine() {
  const level = Math.round(y(layout.scores, cutoff)) + 0.5;
  pen.strokeStyle = colours.cutoff;
  pen.lineWidth = 1.5;
  pen.setLineDash([6, 4]);
  stroke([[layout.left, level], [layout.right, level]]);
  pen.setLineDash([]);
  pen.lineWidth = 1;
}

// Text with a halo, so that it reads on top of curves.
function label(text, px, py, align, colour) {
  pen.textAlign = align;
  pen.lineWidth = 4;
  pen.strokeStyle = colours.card;
  pen.strokeText(text, px, py);
  pen.lineWidth = 1;
  pen.fillStyle = colour;
  pen.fillText(text, px, py);
  pen.textAlign = "left";
}

function caption(panel, text) {
  label(text, layout.left + 8, panel.top + 13, "left", colours.soft);
}

function alarms() {
  const from = Math.max(0, indexAt(view[0]) - 1), to = Math.min(COUNT - 1, indexAt(view[1]));
  const size = Math.min(4, Math.max(2.2, 900 / (to - from)));
  pen.fillStyle = colours.alarm;
  pen.strokeStyle = colours.card;
  for (let i = from; i <= to; i++) {
    if (scores[i] <= cutoff) continue;
    for (const [panel, value] of [[layout.riders, riders[i]], [layout.scores, scores[i]]]) {
      pen.beginPath();
      pen.arc(x(at(i)), y(panel, value), size, 0, 7);
      pen.fill();
      if (size > 2.6) pen.stroke();
    }
  }
}

function strip() {
  const panel = layout.strip;
  for (const event of events) shade(stripX(event.start), stripX(event.end), panel.top, panel.bottom, colours[event.kind]);
  const kept = view;
  view = [FIRST, LAST];
  curve(panel, riders, colours.soft, null);
  pen.fillStyle = colours.alarm;
  for (let i = 0; i < COUNT; i++) if (scores[i] > cutoff) pen.fillRect(stripX(at(i)) - 0.5, panel.top, 1.2, 5);
  view = kept;
  const from = stripX(view[0]), to = stripX(view[1]);
  pen.globalAlpha = 0.72;
  shade(layout.left - 1, from, panel.top, panel.bottom, colours.card);
  shade(to, layout.right + 1, panel.top, panel.bottom, colours.card);
  pen.globalAlpha = 1;
  pen.strokeStyle = colours.riders;
  pen.strokeRect(from + 0.5, panel.top + 0.5, to - from - 1, panel.bottom - panel.top - 1);
  for (const edge of [from, to]) {
    pen.fillStyle = colours.riders;
    pen.fillRect(edge - 2, (panel.top + panel.bottom) / 2 - 9, 4, 18);
  }
}

function crosshair() {
  const px = Math.round(x(at(hover))) + 0.5;
  pen.strokeStyle = colours.soft;
  pen.globalAlpha = 0.6;
  stroke([[px, layout.riders.top], [px, layout.scores.bottom]]);
  pen.globalAlpha = 1;
  const colour = scores[hover] > cutoff ? colours.alarm : null;
  for (const [panel, value, own] of [[layout.riders, riders[hover], colours.riders], [layout.scores, scores[hover], colours.score]]) {
    pen.beginPath();
    pen.arc(px, y(panel, value), 4.5, 0, 7);
    pen.fillStyle = colour || own;
    pen.fill();
    pen.strokeStyle = colours.card;
    pen.lineWidth = 2;
    pen.stroke();
    pen.lineWidth = 1;
  }
}

function showTip() {
  tip.hidden = hover < 0;
  if (hover < 0) return;
  const time = at(hover);
  const inside = events.filter((event) => event.start <= time && time < event.end).map((event) => event.name);
  tip.replaceChildren();
  const add = (text, name) => {
    const line = document.createElement("div");
    line.textContent = text;
    if (name) line.className = name;
    tip.append(line);
  };
  add(asFull(time), "where");
  add(count.format(riders[hover]) + " passengers");
  add("score " + scores[hover].toFixed(4) + (scores[hover] > cutoff ? ", above the cut-off" : ""), scores[hover] > cutoff ? "alarm" : "");
  if (inside.length) add(inside.join(" · "), "where");
  const px = x(time), wide = tip.offsetWidth;
  tip.style.left = (px + 16 + wide > layout.right ? px - 16 - wide : px + 16) + "px";
  tip.style.top = layout.riders.top + 22 + "px";
}

function look(from, to) {
  const width = Math.min(Math.max(to - from, NARROWEST), LAST - FIRST);
  const left = Math.min(Math.max((from + to - width) / 2, FIRST), LAST - width);
  view = [left, left + width];
  reset.disabled = span() >= LAST - FIRST;
  draw();
  showTip();
}

const everything = () => look(FIRST, LAST);
const pointer = (e) => { const r = canvas.getBoundingClientRect(); return [e.clientX - r.left, e.clientY - r.top]; };

canvas.addEventListener("pointerdown", (e) => {
  const [px, py] = pointer(e);
  canvas.setPointerCapture(e.pointerId);
  if (py >= layout.strip.top - 6) {
    const from = stripX(view[0]), to = stripX(view[1]);
    const kind = Math.abs(px - from) < 7 ? "left" : Math.abs(px - to) < 7 ? "right" : "move";
    if (kind === "move" && (px < from || px > to)) look(stripTime(px) - span() / 2, stripTime(px) + span() / 2);
    gesture = { kind, grip: stripTime(px) - view[0], width: span() };
  } else {
    gesture = { kind: "select", from: timeAt(px) };
  }
});
canvas.addEventListener("pointermove", (e) => {
  const [px, py] = pointer(e);
  if (gesture && gesture.kind === "select") selection = [gesture.from, timeAt(Math.min(Math.max(px, layout.left), layout.right))];
  else if (gesture) return drag(px);
  const near = px >= layout.left && px <= layout.right && py < layout.strip.top - 6;
  hover = near ? Math.min(COUNT - 1, indexAt(timeAt(px) - 15 * MINUTE)) : -1;
  canvas.style.cursor = near ? "crosshair" : py >= layout.strip.top - 6 ? "grab" : "default";
  draw();
  showTip();
});
function drag(px) {
  const time = stripTime(px);
  if (gesture.kind === "left") look(Math.min(time, view[1] - NARROWEST), view[1]);
  else if (gesture.kind === "right") look(view[0], Math.max(time, view[0] + NARROWEST));
  else look(time - gesture.grip, time - gesture.grip + gesture.width);
}
canvas.addEventListener("pointerup", () => {
  const chosen = selection;
  gesture = selection = null;
  if (chosen && Math.abs(x(chosen[0]) - x(chosen[1])) > 6) look(Math.min(...chosen), Math.max(...chosen));
  else draw();
});
canvas.addEventListener("pointerleave", () => { if (!gesture) { hover = -1; draw(); showTip(); } });
canvas.addEventListener("dblclick", everything);
canvas.addEventListener("wheel", (e) => {
  if (!e.ctrlKey && !e.metaKey) return; // the page scrolls
  e.preventDefault();
  const centre = timeAt(pointer(e)[0]), factor = Math.exp(e.deltaY / 300);
  look(centre - (centre - view[0]) * factor, centre + (view[1] - centre) * factor);
}, { passive: false });
box.addEventListener("keydown", (e) => {
  const middle = (view[0] + view[1]) / 2, half = span() / 2, step = span() / 6;
  const moves = {
    ArrowLeft: [view[0] - step, view[1] - step], ArrowRight: [view[0] + step, view[1] + step],
    "+": [middle - half / 1.6, middle + half / 1.6], "-": [middle - half * 1.6, middle + half * 1.6], 0: [FIRST, LAST],
  };
  if (moves[e.key]) { e.preventDefault(); look(...moves[e.key]); }
});
reset.addEventListener("click", everything);

for (const row of document.querySelectorAll("#events tr[data-event]")) {
  const event = events[+row.dataset.event];
  const visit = () => { look(event.start - 3 * 1440 * MINUTE, event.end + 3 * 1440 * MINUTE); box.scrollIntoView({ behavior: "smooth", block: "center" }); };
  row.addEventListener("click", visit);
  row.addEventListener("keydown", (e) => { if (e.key === "Enter") visit(); });
}

const dark = window.matchMedia("(prefers-color-scheme: dark)");
function theme(name) { document.documentElement.dataset.theme = name; arrange(); }
document.getElementById("theme").addEventListener("click", () => theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
dark.addEventListener("change", (e) => theme(e.matches ? "dark" : "light"));
document.documentElement.dataset.theme = dark.matches ? "dark" : "light";
if (!events.some((event) => event.kind === "holiday")) document.querySelector(".if-holidays").remove();
new ResizeObserver(arrange).observe(box);
