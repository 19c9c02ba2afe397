// Sets the chosen theme before the first paint; a file of its own because the page's policy refuses inline scripts.
try {
  var theme = localStorage.getItem('tocsin.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch (refused) {
  // Storage may be blocked: the system's theme is used.
}
