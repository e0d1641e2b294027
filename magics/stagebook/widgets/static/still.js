// @ts-check
/** The still picture that stands above a live one: it is hidden as long as the live one is there. */

const MARK = "data-stagebook";
const OUTPUTS = ".jp-OutputArea, .output_container, .output, body";

/**
 * Hide the still picture of the same cell.
 * @param {HTMLElement} el a live widget
 * @returns {() => void} shows it again
 */
export function hideStill(el) {
  /** @type {HTMLElement | null} */
  let hidden = null;
  const observer = new ResizeObserver(() => {
    if (!el.isConnected || hidden) return;
    hidden = stillBefore(el);
    if (hidden) hidden.style.display = "none";
  });
  observer.observe(el);
  return () => {
    observer.disconnect();
    if (hidden) hidden.style.removeProperty("display");
  };
}

/**
 * The nearest output before this one that holds a still picture, within the cell.
 * @param {HTMLElement} el
 * @returns {HTMLElement | null}
 */
function stillBefore(el) {
  for (let at = el; at.parentElement && !at.matches(OUTPUTS); at = at.parentElement) {
    for (let other = at.previousElementSibling; other; other = other.previousElementSibling) {
      if (other instanceof HTMLElement && holdsStill(other)) return other;
    }
  }
  return null;
}

/**
 * Whether this shows a still picture: as SVG of the page, or as an image made of it, as JupyterLab does.
 * @param {HTMLElement} place
 */
function holdsStill(place) {
  if (place.querySelector(`svg[${MARK}]`)) return true;
  return [...place.querySelectorAll("img")].some((image) => image.src.startsWith("data:image/svg") && image.src.includes(MARK));
}
