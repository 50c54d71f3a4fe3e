"""PDF files for tests, written by hand: text in Helvetica at places, lines, images, a password."""

from collections.abc import Sequence
from dataclasses import dataclass, field

WIDTH, HEIGHT = 595, 842


@dataclass
class Page:
    """What a page draws, from the top of it; sizes in points."""

    commands: list[str] = field(default_factory=list)
    image: tuple[int, int, bytes] | None = None  # width, height, grey values

    def text(self, x: float, y: float, text: str, size: float = 11) -> "Page":
        escaped = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
        self.commands.append(f"BT /F1 {size} Tf {x} {HEIGHT - y} Td ({escaped}) Tj ET")
        return self

    def lines(self, x: float, y: float, texts: Sequence[str], size: float = 11) -> "Page":
        for k, text in enumerate(texts):
            self.text(x, y + k * size * 1.3, text, size)
        return self

    def table(
        self, x: float, y: float, rows: Sequence[Sequence[str]], width: float = 120
    ) -> "Page":
        height, n_columns = 20, len(rows[0])
        for k in range(len(rows) + 1):
            at = HEIGHT - y - k * height
            self.commands.append(f"{x} {at} m {x + n_columns * width} {at} l S")
        for k in range(n_columns + 1):
            at = x + k * width
            self.commands.append(f"{at} {HEIGHT - y} m {at} {HEIGHT - y - len(rows) * height} l S")
        for r, row in enumerate(rows):
            for c, cell in enumerate(row):
                self.text(x + c * width + 4, y + r * height + 14, cell, 10)
        return self


def pdf(pages: Sequence[Page], *, title: str = "", encrypted: bool = False) -> bytes:
    """Write the pages as a PDF 1.4 file; the encrypted one has an owner and a user password."""
    objects: list[bytes] = []

    def add(content: str | bytes) -> int:
        objects.append(content.encode("latin-1") if isinstance(content, str) else content)
        return len(objects)

    font = add("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
    tree = font + 1
    objects.append(b"")
    kids = []
    for page in pages:
        drawn = "\n".join(page.commands)
        resources = f"/Font << /F1 {font} 0 R >>"
        if page.image:
            wide, high, grey = page.image
            picture = add(
                f"<< /Type /XObject /Subtype /Image /Width {wide} /Height {high} /ColorSpace "
                f"/DeviceGray /BitsPerComponent 8 /Length {len(grey)} >>\nstream\n".encode()
                + grey
                + b"\nendstream"
            )
            resources += f" /XObject << /I1 {picture} 0 R >>"
            drawn += f"\nq {WIDTH} 0 0 {WIDTH * high / wide} 0 300 cm /I1 Do Q"
        stream = drawn.encode("cp1252")
        content = add(f"<< /Length {len(stream)} >>\nstream\n".encode() + stream + b"\nendstream")
        kids.append(
            add(
                f"<< /Type /Page /Parent {tree} 0 R /MediaBox [0 0 {WIDTH} {HEIGHT}] "
                f"/Resources << {resources} >> /Contents {content} 0 R >>"
            )
        )
    listed = " ".join(f"{kid} 0 R" for kid in kids)
    objects[tree - 1] = f"<< /Type /Pages /Kids [{listed}] /Count {len(kids)} >>".encode()
    root = add(f"<< /Type /Catalog /Pages {tree} 0 R >>")
    info = add(f"<< /Title ({title}) >>")
    trailer = f"/Size {len(objects) + 1} /Root {root} 0 R /Info {info} 0 R"
    if encrypted:
        lock = add(f"<< /Filter /Standard /V 1 /R 2 /O <{'5a' * 32}> /U <{'a5' * 32}> /P -4 >>")
        trailer += f" /Encrypt {lock} 0 R /ID [<{'00' * 16}> <{'00' * 16}>]"
    return _file(objects, trailer)


def _file(objects: Sequence[bytes], trailer: str) -> bytes:
    out, places = b"%PDF-1.4\n", []
    for k, content in enumerate(objects, 1):
        places.append(len(out))
        out += f"{k} 0 obj\n".encode() + content + b"\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    return (
        out
        + f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode()
        + f"trailer\n<< {trailer} >>\nstartxref\n{len(out)}\n%%EOF\n".encode()
    )
