#include "muxer.h"

void millraceMuxed(AVCodecParameters *p, int64_t bitrate) {
    p->bit_rate = bitrate;
    if (p->codec_type != AVMEDIA_TYPE_AUDIO)
        return;
    p->bits_per_coded_sample = av_get_bits_per_sample(p->codec_id);
    p->block_align = p->bits_per_coded_sample * p->ch_layout.nb_channels / 8;
    switch (p->codec_id) {
    case AV_CODEC_ID_AAC:
        p->frame_size = 1024;
        break;
    case AV_CODEC_ID_MP3:
        p->frame_size = p->sample_rate < 32000 ? 576 : 1152;
        break;
    case AV_CODEC_ID_AC3:
        p->frame_size = 1536;
        break;
    default:
        break;
    }
}

int millraceWrite(AVFormatContext *format, AVPacket *packet, int stream, const uint8_t *data,
                  int size, int64_t pts, int64_t dts, int64_t duration, int key) {
    av_packet_unref(packet);
    /* Without a buffer of its own the packet is copied. */
    packet->buf = NULL;
    packet->data = (uint8_t *)data;
    packet->size = size;
    packet->stream_index = stream;
    packet->pts = pts;
    packet->dts = dts;
    packet->duration = duration;
    packet->flags = key ? AV_PKT_FLAG_KEY : 0;
    packet->time_base = format->streams[stream]->time_base;
    int err = av_interleaved_write_frame(format, packet);
    packet->data = NULL;
    packet->size = 0;
    av_packet_unref(packet);
    return err;
}
