/** The parts of a page: what it tells the page around its frame is an attribute of its script. */
const PAGE =
  /<title>(?<title>.*?)<\/title>.*<main>(?<content>.*)<\/main>(?:.*data-greeting="(?<greeting>.*?)")?/s;

/** A function for the pages of a file, which shows only once what is around their content. */
export function newPageContent(): (text: string) => string {
  const known = new Set<string>();
  return (text) => {
    const { title = '', content = '', greeting = '' } = PAGE.exec(text)?.groups ?? {};
    if (content === '') return text;
    const around = [content, title, greeting].reduce((rest, part) => rest.replace(part, ''), text);
    if (!known.has(around)) {
      known.add(around);
      return text;
    }
    const script = greeting === '' ? '' : `\n<script data-greeting="${greeting}">`;
    return `(the usual page) <title>${title}</title>\n<main>${content}</main>${script}`;
  };
}
