type Child = Node | string | null;
type Attributes = Readonly<Record<string, string | number | boolean | null>>;

/** An element with its attributes (true: present, false and null: absent) and children; strings become text. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  setAttributes(made, attributes);
  made.append(...children.filter((child) => child !== null));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

/** A picture that says nothing on its own. */
export function picture(attributes: Attributes, ...shapes: readonly (readonly [string, Attributes])[]): SVGElement {
  const svg = document.createElementNS(SVG, "svg");
  setAttributes(svg, { "aria-hidden": "true", ...attributes });
  for (const [name, own] of shapes) {
    const shape = document.createElementNS(SVG, name);
    setAttributes(shape, own);
    svg.append(shape);
  }
  return svg;
}

export function setAttributes(target: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === false) target.removeAttribute(name);
    else target.setAttribute(name, value === true ? "" : String(value));
  }
}

let lastId = 0;

/** An id that no other element of the page has. */
export function freshId(): string {
  return `id-${++lastId}`;
}
