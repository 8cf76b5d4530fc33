'''A vision transformer and a decoder that shares its parts: encoder.layers.0.mlp.fc1.weight.'''
from collections import OrderedDict

import torch
from torch import nn


class Attention(nn.Module):
    def __init__(self, dim, heads=8):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, dim * 3)
        self.out_proj = nn.Linear(dim, dim)

    def forward(self, x):
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        return self.out_proj(torch.softmax(q @ k.transpose(-2, -1), dim=-1) @ v)


class EncoderLayer(nn.Module):
    def __init__(self, dim, hidden):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.self_attn = Attention(dim)
        self.mlp = nn.Sequential(OrderedDict([("fc1", nn.Linear(dim, hidden)), ("act", nn.GELU()), ("fc2", nn.Linear(hidden, dim))]))


class DecoderLayer(nn.Module):
    def __init__(self, dim, hidden):
        super().__init__()
        self.self_attn = Attention(dim)
        self.cross_attn = Attention(dim)
        self.linear1 = nn.Linear(dim, hidden)
        self.linear2 = nn.Linear(hidden, dim)


class Encoder(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        self.layers = nn.ModuleList([EncoderLayer(dim, dim * 4) for _ in range(depth)])


class Decoder(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        self.layers = nn.ModuleList(DecoderLayer(dim, dim * 4) for _ in range(depth))


class VisionTransformer(nn.Module):
    def __init__(self, dim=192, depth=2, classes=10):
        super().__init__()
        self.patch_embed = nn.Conv2d(3, dim, kernel_size=16, stride=16)
        self.encoder = Encoder(dim, depth)
        self.decoder = Decoder(dim, 1)
        self.head = nn.Sequential(
            nn.LayerNorm(dim),
            nn.Linear(dim, 64),  # the bottleneck
            nn.ReLU() if classes > 2 else nn.Identity(),
            nn.Linear(64, classes),
        )
        self.aux: nn.Module = nn.utils.weight_norm(nn.Linear(dim, classes)) if depth > 1 else None
