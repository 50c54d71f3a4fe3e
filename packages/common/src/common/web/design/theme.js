// Applies the chosen theme before the first paint. A classic script, in <head>, before the stylesheets:
//   <script src="/design/theme.js"></script>
// The choice ("light", "dark" or none = follow the system) lives in localStorage under "roadmap-theme";
// frame.js draws the switch.
(() => {
  try {
    const chosen = localStorage.getItem("roadmap-theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch {
    // Storage is refused in some private windows: the system's theme is used.
  }
})();
