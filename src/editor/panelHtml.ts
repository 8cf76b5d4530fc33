import { embeddedJson, markup, trusted } from "../html/markup";
import type { PanelStrings } from "./panelStrings";

export interface PanelHtmlOptions {
  /** `webview.cspSource`: where the webview's own files come from. */
  readonly cspSource: string;
  /** Random for every page. */
  readonly nonce: string;
  /** `dist/webview/panel.js` and `panel.css` as webview URIs. */
  readonly scriptUri: string;
  readonly styleUri: string;
  readonly strings: PanelStrings;
  /** Language of `strings`, as `vscode.env.language` says it. */
  readonly language?: string;
}

/**
 * The page of the panel: nothing but its script, its style sheet and its texts. Scripts run by the nonce alone; no inline
 * style and no connection anywhere.
 */
export function panelHtml(options: PanelHtmlOptions): string {
  const { cspSource, nonce, scriptUri, styleUri, strings, language = "en" } = options;
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${cspSource}`,
    `img-src ${cspSource} data: blob:`,
    `font-src ${cspSource}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return `${
    markup`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>RankLens</title>
<link rel="stylesheet" href="${styleUri}">
</head>
<body data-state="loading" data-testid="panel">
<div id="panel"></div>
<script type="application/json" id="strings" nonce="${nonce}">${trusted(embeddedJson(strings))}</script>
<script src="${scriptUri}" nonce="${nonce}"></script>
</body>
</html>`.text
  }\n`;
}
