"""Pictures in rows, each with what was asked for."""

from PIL import Image, ImageDraw, ImageFont

LINE_PX = 20  # height of the line of text under a picture
GAP_PX = 6


def contact_sheet(pictures: list[Image.Image], prompts: list[str], columns: int = 4) -> Image.Image:
    """The pictures in rows, each with its prompt under it."""
    width, height = pictures[0].size
    cell_w, cell_h = width + GAP_PX, height + LINE_PX + GAP_PX
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * cell_w + GAP_PX, rows * cell_h + GAP_PX), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for index, (picture, prompt) in enumerate(zip(pictures, prompts, strict=True)):
        left, top = GAP_PX + index % columns * cell_w, GAP_PX + index // columns * cell_h
        sheet.paste(picture, (left, top))
        pen.text((left + width // 2, top + height + 2), prompt, fill="black", font=font, anchor="ma")
    return sheet
