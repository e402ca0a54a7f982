// Before anything is shown: the theme that was chosen last, so that no page flashes.
try {
  const theme = localStorage.getItem("neurolab.theme");
  if (theme) document.documentElement.dataset.theme = theme;
} catch { /* a browser may refuse storage to files */ }
