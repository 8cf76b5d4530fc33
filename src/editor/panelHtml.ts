export interface PanelPage {
  readonly cspSource: string;
  readonly nonce: string;
  readonly scriptUri: string;
  readonly styleUri: string;
  readonly strings: Readonly<Record<string, string>>;
}

/** The page of the panel: all of its content comes in messages. */
export function panelHtml({ cspSource, nonce, scriptUri, styleUri }: PanelPage): string {
  const policy = `default-src 'none'; style-src ${cspSource}; script-src 'nonce-${nonce}'; img-src ${cspSource} data:`;
  return `<!doctype html>
<html>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<link rel="stylesheet" href="${styleUri}">
</head>
<body><script nonce="${nonce}" src="${scriptUri}"></script></body>
</html>`;
}
