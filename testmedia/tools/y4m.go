package tools

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// readY4M reads YUV4MPEG2 of 8-bit 4:2:0, 4:4:4 or gray pictures and hands out the
// luma of each, which is valid until take returns. It returns nil at the end.
func readY4M(r io.Reader, size func(width, height int), take func(luma []byte) error) error {
	in := bufio.NewReaderSize(r, 1<<20)
	header, err := in.ReadString('\n')
	if errors.Is(err, io.EOF) && header == "" {
		return nil
	}
	if err != nil || !strings.HasPrefix(header, "YUV4MPEG2 ") {
		return fmt.Errorf("read y4m header %.40q: %w", header, errors.Join(err, errors.ErrUnsupported))
	}
	var width, height int
	chroma := "420"
	for _, f := range strings.Fields(header)[1:] {
		switch f[0] {
		case 'W':
			width, err = strconv.Atoi(f[1:])
		case 'H':
			height, err = strconv.Atoi(f[1:])
		case 'C':
			chroma = f[1:]
		}
		if err != nil {
			return fmt.Errorf("read y4m header: %w", err)
		}
	}
	if width <= 0 || height <= 0 || width > 1<<14 || height > 1<<14 {
		return fmt.Errorf("read y4m header: a size of %dx%d cannot be", width, height)
	}
	size(width, height)
	rest := 0
	switch {
	case chroma == "mono":
	case chroma == "444":
		rest = 2 * width * height
	case strings.HasPrefix(chroma, "420") && !strings.HasPrefix(chroma, "420p1"):
		rest = 2 * ((width + 1) / 2) * ((height + 1) / 2)
	default:
		return fmt.Errorf("read y4m header: chroma %q is not read here: %w", chroma, errors.ErrUnsupported)
	}
	picture := make([]byte, width*height+rest)
	for {
		line, err := in.ReadString('\n')
		if errors.Is(err, io.EOF) && line == "" {
			return nil
		}
		if err != nil || !strings.HasPrefix(line, "FRAME") {
			return fmt.Errorf("read y4m frame header %.40q: %w", line, errors.Join(err, errors.ErrUnsupported))
		}
		if _, err := io.ReadFull(in, picture); err != nil {
			return fmt.Errorf("read y4m frame: %w", err)
		}
		if err := take(picture[:width*height]); err != nil {
			return err
		}
	}
}
